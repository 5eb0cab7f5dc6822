"""What a session makes of a recording: played through the feed and the pipeline, its windows counted."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from acquisition.readers.replay_source import ReplaySource
from acquisition.signal import HeadsetStatus, StreamInfo
from acquisition.stream.feed import Feed
from inference.classification.band_power_classifier import BandPowerClassifier
from inference.emotion import NO_HEAD, Estimate, SignalQuality
from inference.pipeline import Pipeline, PipelineSettings


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of two seconds, two a second: when each ended, and when those that were read."""

    ended_s: tuple[float, ...]
    read_s: tuple[float, ...]


def windows_of(location: str) -> Windows:
    """Play the whole recording as fast as it is read, without asking for rest."""
    return asyncio.run(_windows_of(location))


async def _windows_of(location: str) -> Windows:
    ended_s: list[float] = []
    read_s: list[float] = []
    pipeline: Pipeline | None = None
    async with Feed(lambda: ReplaySource(location, speed=None)) as feed:
        async for item in feed:
            if isinstance(item, HeadsetStatus):
                if item.info is not None and pipeline is None:
                    pipeline = _pipeline(item.info)
                continue
            assert pipeline is not None
            for reading in pipeline.push(item):
                if isinstance(reading, SignalQuality):
                    ended_s.append(reading.at_s)
                    if _good_contact_without_a_head(reading):
                        read_s.append(reading.at_s)
                elif isinstance(reading, Estimate):
                    read_s.append(reading.at_s)
    return Windows(tuple(ended_s), tuple(read_s))


def _good_contact_without_a_head(quality: SignalQuality) -> bool:
    """Such a window was read whole: what is written as a function of time is refused for that alone."""
    return any(not NO_HEAD.isdisjoint(channel.reasons) for channel in quality.channels)


def _pipeline(info: StreamInfo) -> Pipeline:
    return Pipeline(info, BandPowerClassifier(info.channels), PipelineSettings(baseline_s=0.0))
