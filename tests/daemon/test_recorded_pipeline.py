"""What stands between the engine and the pipeline offers everything that the engine asks a pipeline for."""

from __future__ import annotations

from typing import Any

from daemon.engine.prepared import EmotionPipeline
from daemon.recording.recorded_pipeline import RecordedPipeline


class Inner:
    dwell_s = 10.0
    trouble = ""


def test_the_dwell_reaches_the_pipeline_inside() -> None:
    inner: Any = Inner()
    watched: EmotionPipeline = RecordedPipeline(inner, lambda: None)
    assert watched.dwell_s == 10.0
    watched.dwell_s = 4.0
    assert inner.dwell_s == 4.0


def test_nothing_of_a_pipeline_is_missing() -> None:
    wanted = {name for name in (*vars(EmotionPipeline), *EmotionPipeline.__annotations__) if name[0] != "_"}
    assert wanted <= set(dir(RecordedPipeline))
