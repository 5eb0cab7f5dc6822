"""The one thread that renders and writes: nothing in it waits for anything but the sound itself."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading

from player.deck import MIX_RATE_HZ
from player.mixing.mixer import Mixer
from player.outputs.outputs import Outputs

BLOCK_FRAMES = 4096
"""85 ms: each waking costs several times what it renders, and a command is still heard at once."""
SWITCH_S = 0.001
"""How long another thread may hold the interpreter while sound is due; Python's own default is 5 ms."""

END_S = 6.0
"""A block is written within a moment; a device that has gone says so after some seconds."""

log = logging.getLogger(__name__)


class AudioLoop:
    """Renders the mixer into the outputs until it is stopped."""

    def __init__(self, mixer: Mixer, outputs: Outputs) -> None:
        self._mixer = mixer
        self._outputs = outputs
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audio", daemon=True)

    def start(self) -> None:
        """Begin."""
        sys.setswitchinterval(SWITCH_S)
        self._thread.start()

    def _run(self) -> None:
        # where we may, sound goes before everything else on this machine
        with contextlib.suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), -11)
        while not self._stopping.is_set():
            try:
                self._outputs.write(self._mixer.render(BLOCK_FRAMES))
            except Exception:  # whatever is wrong, the music goes on
                log.exception("a block was lost")
                self._stopping.wait(BLOCK_FRAMES / MIX_RATE_HZ)

    def stop(self) -> None:
        """End after the block at hand; what the limiter still holds goes out, too."""
        self._stopping.set()
        self._thread.join(END_S)
        if not self._thread.is_alive():
            self._outputs.write(self._mixer.flush())
