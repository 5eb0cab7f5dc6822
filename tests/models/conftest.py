"""TensorFlow is loaded once a process, and on one thread: the tests' networks are tiny."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


@pytest.fixture
def untraced() -> Iterator[None]:
    """TensorFlow without graphs: tracing one takes longer than the few steps of a small training.

    What is trained for many steps, resumed or converted stays with graphs.
    """
    tensorflow = pytest.importorskip("tensorflow", reason="needs the train extra")
    tensorflow.config.run_functions_eagerly(True)
    yield
    tensorflow.config.run_functions_eagerly(False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """TensorFlow warns that its data sets keep their graphs, as they may."""
    for item in items:
        if "untraced" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run"))
