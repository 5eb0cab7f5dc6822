"""What the engine role is handed for a headset: a pipeline, its classifier, and what to tell of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from acquisition.signal import EegChunk, Gap
from inference.emotion import EmotionState, ModelId, Reading


class EmotionPipeline(Protocol):
    """What the role needs of ``inference.pipeline.Pipeline``."""

    dwell_s: float

    @property
    def trouble(self) -> str: ...

    def push(self, item: EegChunk | Gap) -> tuple[Reading, ...]: ...

    def recalibrate(self) -> None: ...

    def mark_stale(self, at_s: float) -> EmotionState: ...


class PreparedPipeline(msgspec.Struct, frozen=True, kw_only=True):
    """A pipeline for one montage, the model in it, and what a person should know about the choice.

    ``load`` is set while a network is waited for: it runs in a thread, for some seconds at most, and gives
    what must then be called between two chunks to have the network in use. ``renew`` looks, once a second,
    whether the stored networks or the classifier have changed; None when all is as it was.
    """

    pipeline: EmotionPipeline
    model: ModelId
    baseline_s: float
    notes: tuple[str, ...] = ()
    close: Callable[[], None] = lambda: None
    on_baseline: Callable[[], None] = lambda: None
    load: Callable[[], Callable[[], PreparedPipeline]] | None = None
    renew: Callable[[], PreparedPipeline | None] = lambda: None
