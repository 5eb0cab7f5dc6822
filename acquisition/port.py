"""The port every source of EEG stands behind, and the errors it may raise."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from acquisition.signal import EegChunk, StreamInfo

MAX_POLL_S = 1 / 16
"""A poll never waits longer: a blocked thread cannot be cancelled."""


class SourceError(Exception):
    """The source cannot be opened or read. The message names the thing, the rule and the value got."""


class UnknownSourceError(SourceError):
    """The source's name, option or file is wrong: trying again cannot help."""


class AbsentError(SourceError):
    """The device is not there (yet): look again soon, at no cost worth a growing pause."""


NO_LSL = 69
"""The exit status of a search where liblsl is missing (EX_UNAVAILABLE): there is nothing to look with."""


class MissingPartError(SourceError):
    """A native library that this source needs is not on this machine; ``remedy`` says how to get it."""

    def __init__(self, missing: str, remedy: str) -> None:
        super().__init__(f"source: {missing}: {remedy}")
        self.missing, self.remedy = missing, remedy


class IncompatibleStreamError(SourceError):
    """The stream came back with other channels, another order or another rate."""


class EndOfStream(Exception):  # noqa: N818 - an ordinary end, like StopIteration
    """A recording has been read to its end."""


class EegSource(Protocol):
    """A synchronous source of chunks. It is owned by one thread or one child process."""

    def open(self) -> StreamInfo:
        """Connect and describe the stream. Raises ``SourceError``."""
        ...

    def poll(self, timeout_s: float) -> EegChunk | None:
        """Return what has come, or None after at most ``min(timeout_s, MAX_POLL_S)`` seconds.

        Raises ``EndOfStream`` at the end of a recording and ``SourceError`` when the device is gone.
        """
        ...

    def close(self) -> None:
        """Let go of the device. Safe to call twice and after a failed open."""
        ...


@runtime_checkable
class ReactsToMusic(Protocol):
    """A source whose wearer reacts to what is played (the simulated one)."""

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        """Tell the wearer the mood of the music that is sounding now; None for silence."""
        ...


@runtime_checkable
class TakesRequests(Protocol):
    """A source whose wearer does as a guide says (the simulated one)."""

    def ask(self, engagement: float | None) -> None:
        """Ask for rest (-1) up to work with the head (1); None ends the request."""
        ...


@runtime_checkable
class OpensSlowly(Protocol):
    """A source whose opening can be waited for in short steps."""

    def begin(self) -> None:
        """Start to open."""
        ...

    def opened(self, timeout_s: float) -> StreamInfo | None:
        """The stream once it is open, None while it is not. Raises ``SourceError``."""
        ...

    @property
    def absence(self) -> str:
        """Why it is not open yet, in words, when the device is not there; else empty."""
        ...


@runtime_checkable
class KnowsWhatWaits(Protocol):
    """A live source: it can tell whether its reader has fallen behind. A recording waits for its reader."""

    def waiting(self) -> bool:
        """Whether something has come that was not polled yet. Never blocks."""
        ...


@runtime_checkable
class WakesLoop(KnowsWhatWaits, Protocol):
    """A live source whose samples an event loop can wait for, without a thread that wakes for each chunk."""

    def fileno(self) -> int:
        """What becomes readable when something has come. Raises ``SourceError`` while it is not open."""
        ...

    def read_ready(self) -> EegChunk | None:
        """What has come, if it is samples; all else is left for ``poll`` to deal with. Never blocks."""
        ...


@runtime_checkable
class Resumes(Protocol):
    """A source that can be told what was open before, so that it does not take a twin for it."""

    def resume(self, previous: StreamInfo, silent_s: float, last_stamp_s: float) -> None:
        """Before opening again: ``previous`` gave its last sample ``silent_s`` seconds ago as far as is known
        here (a busy machine learns of it late), with the stamp ``last_stamp_s``.
        """
        ...
