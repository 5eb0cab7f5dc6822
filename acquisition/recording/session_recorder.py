"""Writes a session as XDF: EEG, other channels, signal quality, states, decisions, audio markers and events.

Every chunk of the feed becomes one chunk of the file, with exact times and exact values, and whatever else
happened stands between them in its order: a replay meets the very sequence the live session met.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from acquisition.recording.encryption import Sealer
from acquisition.recording.recording_file import OnNews, RecordingFile
from acquisition.recording.recording_key import RecordingKey
from acquisition.recording.xdf_format import (
    XdfStream,
    clock_offset,
    file_header,
    numeric_samples,
    stream_footer,
    stream_header,
    text_samples,
)
from acquisition.signal import EegChunk, FloatArray, Gap, HeadsetStatus, StreamInfo

TextStream = Literal["EmotionState", "PlayerDecision", "AudioMarkers", "SessionEvents"]
TEXT_STREAMS: dict[TextStream, int] = {
    "EmotionState": 1,
    "PlayerDecision": 2,
    "AudioMarkers": 3,
    "SessionEvents": 4,
}
FIRST_SIGNAL_STREAM = 10
"""EEG, other channels and quality; a session that begins anew with another headset takes the next three."""
VERSION = 1


@dataclass
class _Count:
    samples: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    def add(self, times_s: FloatArray | list[float]) -> None:
        if not len(times_s):
            return
        if not self.samples:
            self.first_s = float(times_s[0])
        self.samples += len(times_s)
        self.last_s = float(times_s[-1])


class SessionRecorder:
    """One recording. Raises ``RecordingStartError`` when it cannot begin; later nothing raises.

    ``began`` is the wall-clock time, RFC 3339; ``settings`` what a replay must know. What is written opens
    with the ``key`` only, where there is one; raises ``RecordingKeyError`` where that cannot be used.
    """

    def __init__(
        self,
        path: Path,
        began: str,
        settings: Mapping[str, Any],
        *,
        on_news: OnNews,
        key: RecordingKey | None = None,
    ) -> None:
        self._texts = {
            name: XdfStream(number, name, "Markers", (name,), "string")
            for name, number in TEXT_STREAMS.items()
        }
        header = {"version": VERSION, "began": began, "settings": dict(settings)}
        first = file_header(header, began) + b"".join(stream_header(s) for s in self._texts.values())
        self._file = RecordingFile(path, first, on_news=on_news, sealer=Sealer(key) if key else None)
        self._counts: dict[int, _Count] = {stream.number: _Count() for stream in self._texts.values()}
        self._signals: tuple[XdfStream, XdfStream | None, XdfStream] | None = None
        self._info: StreamInfo | None = None
        self._now_s = 0.0

    @property
    def path(self) -> Path:
        return self._file.path

    @property
    def active(self) -> bool:
        """Whether anything is still recorded."""
        return self._file.active

    @property
    def recording(self) -> bool:
        """Whether what comes reaches the disk now."""
        return self._file.active and not self._file.paused

    def on_item(self, item: HeadsetStatus | EegChunk | Gap) -> None:
        """Take what the feed gives."""
        if isinstance(item, HeadsetStatus):
            if item.info is not None and item.info != self._info:
                self._begin_signal(item.info)
            words = {"state": item.state, "reason": item.reason, "gap_s": item.gap_s}
            self.event("headset", {**words, "battery_percent": item.battery_percent})
        elif isinstance(item, Gap):
            self.event("gap", asdict(item))
        else:
            self._chunk(item)

    def quality(self, at_s: float, overall: float, worn: bool, scores: Mapping[str, float]) -> None:
        """One window's signal quality."""
        if self._signals is None:
            return
        stream = self._signals[2]
        row = [overall, float(worn), *(scores.get(name, np.nan) for name in stream.channels[2:])]
        self._numeric(stream, np.array([at_s]), np.array(row)[:, np.newaxis])

    def text(self, stream: TextStream, text: str, at_s: float | None = None) -> None:
        """One line of a text stream, at the newest sample's time unless told otherwise."""
        time_s = self._now_s if at_s is None else at_s
        self._append(text_samples(self._texts[stream], [time_s], [text]))
        self._counts[TEXT_STREAMS[stream]].add([time_s])

    def event(self, kind: str, words: Mapping[str, Any]) -> None:
        """Something that happened to the session."""
        self.text("SessionEvents", json.dumps({"kind": kind, **words}, allow_nan=False))

    def close(self) -> Path | None:
        """Finish the file; its path, or None when the recording had stopped."""
        footers = [
            stream_footer(number, count.samples, count.first_s, count.last_s, recovered=False)
            for number, count in self._counts.items()
        ]
        return self._file.close(b"".join(footers))

    def _begin_signal(self, info: StreamInfo) -> None:
        self._info = info
        number = FIRST_SIGNAL_STREAM if self._signals is None else self._signals[0].number + 3
        about = {
            "source": info.source,
            "device": info.device,
            "simulated": info.simulated,
            "identity": info.identity,
            "counter_modulo": info.counter_modulo,
            "extras": list(info.extras),
        }
        eeg = XdfStream(number, "EEG", "EEG", info.channels, "double64", info.rate_hz, "microvolts", about)
        aux = None
        if info.extras:
            aux = XdfStream(number + 1, "Aux", "Misc", info.extras, "double64", info.rate_hz)
        quality_rows = ("overall", "worn", *info.channels)
        quality = XdfStream(number + 2, "SignalQuality", "Quality", quality_rows, "float32")
        self._signals = (eeg, aux, quality)
        for stream in (eeg, aux, quality):
            if stream is not None:
                self._counts[stream.number] = _Count()
                self._append(stream_header(stream, info.identity) + clock_offset(stream, self._now_s))

    def _chunk(self, chunk: EegChunk) -> None:
        if self._signals is None:
            return
        if chunk.interpolated is not None:
            self.event("interpolated", {"samples": np.flatnonzero(chunk.interpolated).tolist()})
        self._now_s = float(chunk.times_s[-1])
        eeg, aux, _ = self._signals
        self._numeric(eeg, chunk.times_s, chunk.samples_uv)
        if aux is not None and chunk.extras is not None:
            self._numeric(aux, chunk.times_s, chunk.extras)

    def _numeric(self, stream: XdfStream, times_s: FloatArray, values: FloatArray) -> None:
        self._append(numeric_samples(stream, times_s, values))
        self._counts[stream.number].add(times_s)

    def _append(self, chunks: bytes) -> None:
        self._file.append(chunks)
