"""How every role hears that it is time to end."""

from __future__ import annotations

import asyncio
import contextlib
import signal


def stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. Must be called on the running loop."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return stop


def end_undisturbed() -> None:
    """All has ended in order: a second Ctrl-C on the last steps changes nothing, nor the exit status.

    Must be called on the loop, which would give the signal its default meaning back when it closes.
    """
    loop = asyncio.get_running_loop()
    while signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        with contextlib.suppress(KeyboardInterrupt):  # in the moment between the two
            loop.remove_signal_handler(signal.SIGINT)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
