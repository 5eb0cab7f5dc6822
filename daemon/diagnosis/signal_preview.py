"""Listens to a source for some seconds and tells how good each electrode is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from acquisition.opening import make_source
from acquisition.port import UnknownSourceError
from acquisition.signal import EegChunk, FeedItem, Gap, HeadsetStatus, StreamInfo
from acquisition.source_spec import SourceSpec
from acquisition.stream.feed import Feed
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import SignalQuality
from inference.pipeline import Pipeline, PipelineSettings
from inference.preprocessing.resampling import UnreadableRateError

OPEN_S = 8.0
"""How long a source is waited for."""
Preview = HeadsetStatus | SignalQuality


async def preview(spec: SourceSpec, seconds: float) -> AsyncIterator[Preview]:
    """What the headset says and each window's quality, for so long after the first sample.

    Raises ``UnknownSourceError`` for a source that cannot be.
    """
    loop = asyncio.get_running_loop()
    pipeline: Pipeline | None = None
    until_s = loop.time() + seconds + OPEN_S
    async with Feed(partial(make_source, spec)) as feed:
        items = aiter(feed)
        while (item := await _next(items, until_s)) is not None:
            if isinstance(item, HeadsetStatus):
                if item.info is not None and pipeline is None:
                    pipeline = _listener(item.info)
                if item.state == "streaming":
                    until_s = min(until_s, loop.time() + seconds)
                yield item
            elif pipeline is not None:
                for found in _qualities(pipeline, item):
                    yield found


async def _next(items: AsyncIterator[FeedItem], until_s: float) -> FeedItem | None:
    """None at the end, and when it is time: a source that is not there says nothing more."""
    try:
        async with asyncio.timeout_at(until_s):
            return await anext(items, None)
    except TimeoutError:
        return None


def _listener(info: StreamInfo) -> Pipeline:
    settings = PipelineSettings(hop_s=1.0, mains_hz="auto")
    try:
        return Pipeline(info, BandPowerClassifier(info.channels), settings)
    except UnreadableRateError as error:
        raise UnknownSourceError(f"source: {info.device}: {error}") from error


def _qualities(pipeline: Pipeline, item: EegChunk | Gap) -> list[SignalQuality]:
    return [reading for reading in pipeline.push(item) if isinstance(reading, SignalQuality)]


def quality_line(quality: SignalQuality) -> str:
    """One line: overall, then each electrode with what is wrong with it."""
    words = [
        f"{c.channel} {c.score:.0%}" + (f" ({', '.join(c.reasons)})" if c.reasons else "")
        for c in quality.channels
    ]
    worn = "" if quality.worn else ", the headset seems not to be worn"
    return f"signal {quality.overall:.0%}: {', '.join(words)}{worn}"
