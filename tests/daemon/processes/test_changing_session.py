"""One session ends as a whole before another begins, whatever state its roles are in."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil
import pytest

from daemon.processes.locks import only_one, running_roles, sign_again, wearer_mark
from daemon.processes.supervisor import Supervisor
from daemon.settings import BrokerSettings, RoleName, Settings
from daemon.startup.wearer_choice import MAX_KNOWN, known_wearers
from support.peers.real_broker import RealBroker
from support.waiting import until

ROLES: Sequence[RoleName] = ("engine",)
"""One that needs no music: what is held here is the same for all."""


@pytest.fixture
def settings(broker: RealBroker, tmp_path: Path) -> Settings:
    return Settings(
        node="t",
        wearer="anna",
        broker=BrokerSettings(port=broker.port),
        state_dir=str(tmp_path),
        cache_dir=str(tmp_path),
        output="null",
        view="none",
        record="2026-01-01T00-00-00Z-t",
    )


def _bobs(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, wearer="bob", record="")


@pytest.mark.broker
@pytest.mark.parametrize("state", ["well", "stopped"])
async def test_no_process_of_the_first_lives_when_the_next_begins(settings: Settings, state: str) -> None:
    supervisor = Supervisor(ROLES, settings, notify=lambda _: None, end_s=2.0)
    task = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: set(supervisor.pids) == set(ROLES))
        first = dict(supervisor.pids)
        if state == "stopped":
            os.kill(first["engine"], signal.SIGSTOP)
        between: list[bool] = []

        async def look() -> None:
            between.extend(psutil.pid_exists(pid) for pid in first.values())
            assert supervisor.pids == {}
            await asyncio.sleep(0.3)
            assert supervisor.pids == {}, "nothing begins meanwhile"

        await supervisor.change(_bobs(settings), look)
        assert between == [False]
        await until(lambda: set(supervisor.pids) == set(ROLES))
        assert not set(supervisor.pids.values()) & set(first.values())
        assert supervisor.settings.wearer == "bob"
    finally:
        supervisor.stop()
        assert await task == 0
    assert supervisor.pids == {}


@pytest.mark.broker
async def test_an_end_in_the_middle_of_a_change_is_an_end(settings: Settings) -> None:
    supervisor = Supervisor(ROLES, settings, notify=lambda _: None)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: set(supervisor.pids) == set(ROLES))
    never = asyncio.Event()

    async def wait() -> None:
        await never.wait()

    change = asyncio.create_task(supervisor.change(_bobs(settings), wait))
    await until(lambda: supervisor.pids == {})
    supervisor.stop()
    assert await task == 0
    change.cancel()
    await asyncio.gather(change, return_exceptions=True)
    assert supervisor.pids == {}


def test_the_locks_say_whose_session_it_is_now(tmp_path: Path) -> None:
    settings = Settings(node="t", wearer="anna", state_dir=str(tmp_path))
    with only_one(settings, ROLES):
        assert {role.wearer_mark for role in running_roles(tmp_path)} == {wearer_mark("anna")}
        sign_again(msgspec.structs.replace(settings, wearer="bob"), ROLES)
        assert {role.wearer_mark for role in running_roles(tmp_path)} == {wearer_mark("bob")}
        assert {role.role for role in running_roles(tmp_path)} == set(ROLES), "the locks are held on"
    assert list(running_roles(tmp_path)) == []


def test_guests_are_nobody_that_is_known(tmp_path: Path) -> None:
    for name in ("anna", "guest-t", *(f"p{number:03}" for number in range(2 * MAX_KNOWN))):
        (tmp_path / "wearers" / name).mkdir(parents=True)
    known = known_wearers(tmp_path)
    assert known[0] == "anna"
    assert "guest-t" not in known
    assert len(known) == MAX_KNOWN
