"""The whole life of the child process that runs a driver."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

from acquisition.isolation.frames import Frame, encode, info_words
from acquisition.port import MAX_POLL_S, AbsentError, EegSource, EndOfStream, Resumes, SourceError
from acquisition.signal import StreamInfo

HEARTBEAT_S = 0.5
LOOK_AGAIN_S = 0.3
PR_SET_PDEATHSIG = 1

Previous = tuple[StreamInfo, float, float] | None


def serve(make: Callable[[], EegSource], pipe: Connection, parent: int, previous: Previous) -> None:
    """Open the source, however long it takes to appear, and send what it gives until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _die_with_parent()
    port = _Port(pipe, parent)
    source: EegSource | None = None
    try:
        source = _open(make, port, previous)
        if source is not None:
            _pump(source, port)
    except EndOfStream:
        port.send(Frame("end"))
    except SourceError as error:
        port.send(Frame("error", {"kind": type(error).__name__, "text": str(error)}))
    except Exception as error:  # noqa: BLE001 - a driver may raise anything; the parent must hear of it
        port.send(Frame("error", {"kind": "SourceError", "text": f"source: {type(error).__name__}: {error}"}))
    finally:
        if source is not None:
            source.close()


class _Port:
    """The way to the parent."""

    def __init__(self, pipe: Connection, parent: int) -> None:
        self._pipe, self._parent = pipe, parent
        self._poll = select.poll()
        self._poll.register(pipe.fileno(), 0)

    @property
    def wanted(self) -> bool:
        """Whether anyone still reads."""
        return os.getppid() == self._parent and not self._poll.poll(0)

    def send(self, frame: Frame) -> None:
        data = memoryview(encode(frame))
        with contextlib.suppress(BrokenPipeError):
            while data:
                data = data[os.write(self._pipe.fileno(), data) :]


def _open(make: Callable[[], EegSource], port: _Port, previous: Previous) -> EegSource | None:
    began_s = time.monotonic()
    while port.wanted:
        source = make()
        if previous is not None and isinstance(source, Resumes):
            info, silent_s, last_stamp_s = previous
            source.resume(info, silent_s + time.monotonic() - began_s, last_stamp_s)
        try:
            port.send(Frame("info", info_words(source.open())))
        except AbsentError as error:
            source.close()
            port.send(Frame("beat", {"absent": str(error)}))
            time.sleep(LOOK_AGAIN_S)
        except BaseException:
            source.close()
            raise
        else:
            return source
    return None


def _pump(source: EegSource, port: _Port) -> None:
    beat_s = time.monotonic()
    while port.wanted:
        chunk = source.poll(MAX_POLL_S)
        now_s = time.monotonic()
        if chunk is not None and chunk.samples_uv.shape[1]:
            port.send(Frame("chunk", chunk=chunk))
            beat_s = now_s
        elif now_s - beat_s > HEARTBEAT_S:
            port.send(Frame("beat"))
            beat_s = now_s


def _die_with_parent() -> None:
    """A driver that hangs in native code would never see that its parent is gone."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
