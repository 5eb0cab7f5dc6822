"""The one door to Keras: opened by the functions that need it, never by importing this package."""

from __future__ import annotations

import os
from functools import lru_cache
from typing import Any

from models.errors import extra_missing


@lru_cache(maxsize=1)
def keras() -> Any:
    """The Keras module on TensorFlow, quiet and deterministic.

    Raises ``ModelsError`` where the ``train`` extra is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import tensorflow
    except ImportError as error:
        raise extra_missing("training", "TensorFlow") from error
    # a resumed training can only equal an uninterrupted one where every operation repeats itself
    tensorflow.config.experimental.enable_op_determinism()
    import absl.logging

    # Keras warns through absl that .h5 is a legacy format; it is the format that was asked for
    absl.logging.set_verbosity(absl.logging.ERROR)
    tensorflow.get_logger().setLevel("ERROR")
    import keras as module

    return module


def seed_everything(seed: int) -> None:
    """Seed Python, NumPy and TensorFlow, so that the weights a build draws are the same each time."""
    keras().utils.set_random_seed(seed)


def copy_weights(source: Any, target: Any) -> None:
    """Give a network of the same layers the weights of another.

    A normalisation keeps what it computes from its weights beside them, and ``set_weights`` forgets that.
    """
    target.set_weights(source.get_weights())
    for layer in target.layers:
        if hasattr(layer, "finalize_state"):
            layer.finalize_state()
