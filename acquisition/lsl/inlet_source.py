"""Lab Streaming Layer inlets. Imports ``pylsl`` (with ``discovery.py`` and ``outlet.py``)."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from acquisition.lsl.chunk_pull import ChunkPull
from acquisition.lsl.discovery import OWN_PREFIX, describe, identity, own_scope, scope_network
from acquisition.port import MAX_POLL_S, AbsentError, SourceError, UnknownSourceError
from acquisition.signal import EegChunk, StreamInfo
from acquisition.units import StampUnit, in_uv

RESOLVE_S = 1.0
LOOK_S = 0.3
FIRST_LOOK_S = {"machine": 0.6, "link": 1.5, "site": 1.5}
OPEN_S = 2.0
MAX_SAMPLES = 1024
CLOCK_EVERY_S = 5.0
GATHER_S = 1 / 16
"""So much is taken at once: many outlets push each sample by itself, and a wake-up costs two processes."""
STAMP_S = 30.0
"""Stamps further than this from the loss are of another clock."""
TWIN_S = 0.5
"""A stream that began so long before the loss ran beside the lost one."""
OPTIONS = ("type", "source_id", "scope", "host", "uid")
SCOPES = ("machine", "link", "site")


class LslSource:
    """The one stream of a name, type or source id. Two that match are refused with both their names."""

    def __init__(
        self,
        name: str = "",
        options: Mapping[str, str] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._options, self._clock = name, dict(options or {}), clock
        for key in self._options:
            if key not in OPTIONS:
                raise UnknownSourceError(f"source: unknown LSL option {key!r}: one of {', '.join(OPTIONS)}")
        scope = self._options.get("scope") or own_scope()
        if scope not in SCOPES:
            raise UnknownSourceError(f"source: LSL scope must be one of {', '.join(SCOPES)}, got {scope!r}")
        self._scope = scope
        self._previous: tuple[StreamInfo, float, float] | None = None
        self._inlet: Any = None
        self._eeg: list[int] = []
        self._others: list[int] = []
        self._uv_per_unit, self._are_uv = np.ones((1, 1)), True
        self._stamps = StampUnit(1.0)
        self._pull: ChunkPull | None = None
        self._more = False
        self._correction_s, self._corrected_s = 0.0, 0.0

    def resume(self, previous: StreamInfo, silent_s: float, last_stamp_s: float) -> None:
        """Open only the stream that was open before, or what has come back in its place since."""
        self._previous = (previous, silent_s, last_stamp_s)

    def open(self) -> StreamInfo:
        """Find the stream and subscribe.

        Raises ``AbsentError`` when there is none, ``UnknownSourceError`` when more than one fits.
        """
        scope_network(self._scope)
        import pylsl
        from pylsl.util import LostError, handle_error
        from pylsl.util import TimeoutError as LslTimeoutError

        stream = self._choose()
        # liblsl's own recovery can abort the process on close (sccn/liblsl 220): reconnecting is ours
        inlet = pylsl.StreamInlet(stream, max_buflen=30, recover=False, processing_flags=0)
        try:
            described = inlet.info(timeout=OPEN_S)
            inlet.open_stream(timeout=OPEN_S)
        except (LslTimeoutError, LostError) as error:
            inlet.close_stream()
            # it has just gone, or its machine is busy: worth another look soon
            raise AbsentError(f"source: LSL stream {stream.name()!r} does not answer: {error}") from error
        self._inlet = inlet
        self._correct(OPEN_S)
        info, chosen = describe(described, self._name)
        self._eeg = list(chosen.rows)
        self._others = [row for row in range(described.channel_count()) if row not in chosen.rows]
        self._uv_per_unit = np.array(chosen.uv_per_unit)[:, np.newaxis]
        self._are_uv = bool((self._uv_per_unit == 1).all())
        self._stamps = StampUnit(info.rate_hz)
        self._pull = ChunkPull(inlet, MAX_SAMPLES, handle_error)
        return info

    def poll(self, timeout_s: float) -> EegChunk | None:
        """What came, at its own sender's times brought to this machine's LSL clock.

        Raises ``SourceError`` when liblsl says that the stream is gone.
        """
        if self._pull is None:
            return None
        from pylsl.util import LostError

        if not self._more:
            # to wait inside liblsl would wake this process for every push
            time.sleep(min(timeout_s, GATHER_S))
        try:
            samples, stamps_s = self._pull()
        except LostError as error:
            raise SourceError(f"source: LSL stream is gone: {error}") from error
        self._more = len(stamps_s) == MAX_SAMPLES
        if not len(stamps_s):
            return None
        if self._clock() - self._corrected_s > CLOCK_EVERY_S:
            self._correct(MAX_POLL_S)
        times_s = self._stamps.seconds(stamps_s) + self._correction_s
        values = samples.T.astype(np.float64, order="C")
        extras = values[self._others] if self._others else None
        eeg = values[self._eeg] if self._others else values
        # in microvolts nothing is left to do here: the feed takes for none what cannot have been measured
        samples_uv = eeg if self._are_uv else in_uv(eeg, self._uv_per_unit)
        return EegChunk(samples_uv, times_s, extras=extras)

    def close(self) -> None:
        """Unsubscribe."""
        inlet, self._inlet, self._pull = self._inlet, None, None
        if inlet is not None:
            inlet.close_stream()

    def _correct(self, timeout_s: float) -> None:
        """Ask how far the sender's clock is from ours; without an answer the last one holds."""
        from pylsl.util import LostError
        from pylsl.util import TimeoutError as LslTimeoutError

        with contextlib.suppress(LslTimeoutError, LostError):
            self._correction_s = float(self._inlet.time_correction(timeout=timeout_s))
        self._corrected_s = self._clock()

    def _choose(self) -> Any:
        import pylsl

        # long enough at first for every twin to answer; afterwards twins are known by their age
        wait_s = LOOK_S if self._previous is not None else FIRST_LOOK_S[self._scope]
        deadline_s = self._clock() + RESOLVE_S
        found: list[Any] = []
        while not found and self._clock() < deadline_s:
            found = [stream for stream in pylsl.resolve_streams(wait_time=wait_s) if self._fits(stream)]
        asked = self._name or self._options.get("source_id") or "an EEG stream"
        if not found:
            raise AbsentError(f"source: no LSL stream fits {asked!r} (scope {self._scope})")
        if self._previous is not None:
            found = self._not_twins(found, *self._previous)
        if len(found) > 1 and "type" not in self._options:
            # muse-lsl gives its EEG, its motion and its pulse one name and one source id
            found = [stream for stream in found if stream.type().lower() == "eeg"] or found
        if len(found) > 1:
            both = "; ".join(map(_choosing_words, found))
            raise UnknownSourceError(
                f"source: {len(found)} LSL streams fit {asked!r}; choose by source_id, host or uid: {both}"
            )
        return found[0]

    def _not_twins(
        self, found: list[Any], previous: StreamInfo, silent_s: float, last_stamp_s: float
    ) -> list[Any]:
        """The stream that was open, or one that began after it fell silent; never one that ran beside it."""
        import pylsl

        lost_s = float(pylsl.local_clock()) - silent_s
        if abs(last_stamp_s - lost_s) < STAMP_S:
            # the sample's own stamp is nearer the truth than when a busy machine came to read it
            lost_s = min(lost_s, last_stamp_s)
        same = [stream for stream in found if stream.uid() == previous.instance]
        back = [stream for stream in found if identity(stream) == previous.identity]
        # start times of other machines' clocks tell nothing here
        back = [s for s in back if s.hostname() != socket.gethostname() or s.created_at() > lost_s - TWIN_S]
        if not same and not back:
            others = "; ".join(map(_choosing_words, found))
            raise AbsentError(
                f"source: {previous.identity} is gone; not taking another one in its place: {others}"
            )
        return same or back

    def _fits(self, stream: Any) -> bool:
        if self._name and self._name not in (stream.name(), stream.source_id()):
            return False
        wanted_type = self._options.get("type", "" if self._name else "EEG")
        if wanted_type and stream.type().lower() != wanted_type.lower():
            return False
        named = self._name or self._options.get("source_id") or self._options.get("uid")
        if not named and stream.source_id().startswith(OWN_PREFIX):
            return False  # what a session of ours offers is no headset, least of all our own
        held = {"source_id": stream.source_id(), "host": stream.hostname(), "uid": stream.uid()}
        return all(self._options.get(key) in (None, "", value) for key, value in held.items())


def _choosing_words(stream: Any) -> str:
    """By the words that choose it: an ``@`` behind a Muse's id, which has colons, would look like a login."""
    return f"{stream.name()}: source_id={stream.source_id()},host={stream.hostname()},uid={stream.uid()}"
