"""Fault F43: broker and headset go and come again and again. Nothing piles up, nothing is heard twice.

``NEUROPLAYER_RECONNECTS`` says how often; ``bench/endurance.py`` does it a thousand times.
"""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import psutil
import pytest

from acquisition.isolation.isolated_source import IsolatedSource
from acquisition.stream.feed_settings import FeedSettings
from support.peers.fake_drivers import FakeDriver
from support.peers.real_broker import RealBroker
from support.peers.reconnecting import reconnect_link
from support.recordings.feed_watch import FeedWatch
from support.waiting import until

OFTEN = int(os.environ.get("NEUROPLAYER_RECONNECTS", "40"))


@pytest.mark.broker
async def test_f43_a_link_that_is_reset_again_and_again_grows_nothing(broker: RealBroker) -> None:
    found = await reconnect_link(broker.port, OFTEN)  # waits until nothing is left of those before the last
    assert found.connects == OFTEN + 1
    assert found.heard_once, "one copy of what was said after the last of them"


async def test_f43_a_driver_that_dies_again_and_again_leaves_nothing(tmp_path: Path) -> None:
    times = max(3, OFTEN // 10)
    diary = tmp_path / "diary"
    make = partial(IsolatedSource, partial(FakeDriver, diary, "crash", 0.1, times))
    quick = FeedSettings(backoff_s=(0.01,))
    me = psutil.Process()
    async with FeedWatch(make, quick) as watch:
        await watch.until_data()
        before = (me.num_threads(), me.num_fds())
        await watch.until(lambda: len(diary.read_text().splitlines()) > times)
        await watch.until_data()
        after = (me.num_threads(), me.num_fds())
        alive = [pid for pid in map(int, diary.read_text().split()) if psutil.pid_exists(pid)]
        assert len(alive) == 1, "each was reaped before the next"
    assert after[0] <= before[0]
    assert after[1] <= before[1]
    await until(lambda: not any(psutil.pid_exists(pid) for pid in alive), "the last has ended")
