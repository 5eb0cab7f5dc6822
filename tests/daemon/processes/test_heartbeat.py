"""Signs of life: whoever beats lives on, whoever stops is called hung."""

from __future__ import annotations

import asyncio
import contextlib
import os

import pytest

from daemon.processes.heartbeat import DESCRIPTOR, Heartbeat, beat
from support.waiting import until


async def test_who_beats_outlives_every_patience_and_who_stops_is_called_hung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.processes.heartbeat.EVERY_S", 0.02)
    with contextlib.closing(Heartbeat(hung_s=0.3)) as heart:
        # as in the child, which has an end of its own
        monkeypatch.setenv(DESCRIPTOR, str(os.dup(heart.write_fd)))
        heart.started(None)
        beating = asyncio.create_task(beat())
        hung = asyncio.create_task(heart.until_hung())
        await until(heart.has_beaten, "the first beat")
        first_s = heart._beat_s
        assert first_s is not None
        await until(lambda: heart._beat_s is not None and heart._beat_s > first_s + 3 * 0.3)
        assert not hung.done()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await hung
        os.close(int(os.environ[DESCRIPTOR]))
