"""The supervisor with real roles as its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest

from daemon.processes.supervisor import Supervisor
from daemon.settings import BrokerSettings, RoleName, Settings, to_json
from support.busy_machine import busy
from support.peers.real_broker import RealBroker
from support.waiting import PATIENCE_S, until

pytestmark = pytest.mark.broker


class Watched:
    """A supervisor that runs while a test looks."""

    def __init__(self, settings: Settings, roles: list[RoleName], **options: Any) -> None:
        self.lines: list[str] = []
        options = {"hung_s": PATIENCE_S} | options
        self.supervisor = Supervisor(roles, settings, notify=self.lines.append, **options)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.Task[int]]:
        task = asyncio.create_task(self.supervisor.run())
        try:
            yield task
        finally:
            self.supervisor.stop()
            await task
            assert asyncio.all_tasks() == {asyncio.current_task()}, "nothing is left to end later"

    @property
    def engine(self) -> int | None:
        return self.supervisor.pids.get("engine")


@pytest.fixture
def settings(broker: RealBroker, tmp_path: Path) -> Settings:
    return Settings(
        node="t",
        broker=BrokerSettings(port=broker.port),
        state_dir=str(tmp_path),
        cache_dir=str(tmp_path),
        view="none",
    )


async def test_a_role_that_dies_is_started_again(settings: Settings) -> None:
    watched = Watched(settings, ["engine"])
    async with watched.running():
        await until(lambda: watched.engine is not None)
        first = watched.engine
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: watched.engine not in (None, first))
    assert any("killed by SIGKILL" in line for line in watched.lines)
    assert watched.supervisor.pids == {}


async def test_a_role_that_hangs_is_killed_and_started_again(settings: Settings) -> None:
    watched = Watched(settings, ["engine"])
    async with watched.running():
        await until(lambda: watched.engine is not None)
        first = watched.engine
        assert first is not None
        await until(lambda: watched.supervisor.alive(["engine"], PATIENCE_S))
        assert watched.engine == first
        os.kill(first, signal.SIGSTOP)
        heart = watched.supervisor._children["engine"].heart
        assert heart is not None
        heart._hung_s = 0.5  # no beat can be late any more: there are none
        await until(lambda: watched.engine not in (None, first))
        assert not psutil.pid_exists(first)
    assert "engine gives no sign of life and is killed" in watched.lines


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_a_healthy_role_that_starts_on_a_busy_machine_lives_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the wall it needs many times what it may: its own time is what counts."""
    monkeypatch.setattr("daemon.processes.heartbeat.START_S", 6.0)
    watched = Watched(settings, ["engine"], hung_s=4.0)
    with busy(30):
        async with watched.running():
            await until(lambda: watched.supervisor.alive(["engine"], 4.0), "a beat", seconds=60.0)
            first = watched.engine
            await asyncio.sleep(10.0)
            assert watched.engine == first
    assert not [line for line in watched.lines if "no sign of life" in line or "ended" in line]


async def test_bad_input_at_the_start_ends_everything_with_its_line(settings: Settings) -> None:
    wrong = msgspec.structs.replace(settings, source="replay:/no/such/file.csv")
    watched = Watched(wrong, ["engine"])
    async with watched.running() as task:
        assert await asyncio.wait_for(task, PATIENCE_S) == 2
    assert watched.supervisor.failure == "neuroplayer: /no/such/file.csv: no such file"


async def test_bad_input_later_does_not_end_the_music(settings: Settings, tmp_path: Path) -> None:
    recording = tmp_path / "recording.csv"
    rows = "".join(f"{n / 256},1,2,3,4,5\n" for n in range(2560))
    recording.write_text("timestamps,TP9,AF7,AF8,TP10,Right AUX\n" + rows)
    watched = Watched(msgspec.structs.replace(settings, source=f"replay:{recording}"), ["engine"])
    async with watched.running() as task:
        await until(lambda: watched.engine is not None)
        await until(lambda: watched.supervisor.alive(["engine"], PATIENCE_S))
        first = watched.engine
        assert first is not None
        recording.unlink()
        os.kill(first, signal.SIGKILL)
        await until(lambda: any("exit status 2" in line for line in watched.lines))
        assert not task.done()


async def test_a_later_life_goes_on_with_the_recordings_and_the_rest(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from daemon.processes import supervisor
    from player.outputs.output_spec import split_outputs

    given: list[Settings] = []

    def noted(settings: Settings) -> bytes:
        given.append(settings)
        return to_json(settings)

    monkeypatch.setattr(supervisor, "to_json", noted)
    asked = msgspec.structs.replace(settings, output="device,wav:/a.wav,wav:/b.wav", baseline=60.0)
    watched = Watched(asked, ["engine"])
    async with watched.running():
        await until(lambda: watched.engine is not None)
        first = watched.engine
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: len(given) == 2 and watched.engine is not None)
        watched.supervisor.renew(msgspec.structs.replace(asked, baseline=30.0), ["engine"])
        await until(lambda: len(given) == 3)
    assert given[0] == asked
    assert split_outputs(given[1].output) == ("device", "wav+:/a.wav", "wav+:/b.wav")
    assert (given[1].baseline, given[1].rest_again) == (60.0, True)
    assert (given[2].baseline, given[2].rest_again) == (30.0, False)


async def test_a_role_that_ends_in_the_moment_it_is_signalled_is_no_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(settings, ["engine"])
    send = os.kill

    def late(pid: int, number: int) -> None:
        send(pid, signal.SIGKILL)
        psutil.Process(pid).wait(PATIENCE_S)  # the operating system has forgotten it by now
        send(pid, number)

    async with watched.running() as task:
        await until(lambda: watched.supervisor.alive(["engine"], PATIENCE_S))
        monkeypatch.setattr(os, "kill", late)
        watched.supervisor.stop()
        assert await task == 0


async def test_a_view_that_is_late_still_tells_the_summary(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    plain = msgspec.structs.replace(settings, view="json")
    watched = Watched(plain, ["engine", "view"], end_s=PATIENCE_S)
    async with watched.running() as task:
        said = ""
        while '"topic": "emotion"' not in said:
            said += capfd.readouterr().out
            await asyncio.sleep(0.05)
        os.kill(watched.supervisor.pids["view"], signal.SIGSTOP)
        watched.supervisor.stop()
        await until(lambda: watched.engine is None, "the engine ends meanwhile")
        os.kill(watched.supervisor.pids["view"], signal.SIGCONT)
        assert await task == 0
    assert '"topic":"summary"' in capfd.readouterr().out.splitlines()[-1]


async def test_a_role_that_cannot_be_started_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refused = asyncio.create_subprocess_exec, [BlockingIOError(11, "no process is left")]

    async def sometimes(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        if refused:
            raise refused.pop()
        return await start(*arguments, **options)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", sometimes)
    watched = Watched(settings, ["engine"])
    async with watched.running():
        await until(lambda: watched.engine is not None)
    assert watched.lines[0] == "engine cannot be started: no process is left"


async def test_what_needs_the_source_waits_for_it_and_goes_on_with_it(settings: Settings) -> None:
    watched = Watched(settings, ["engine"], undecided=True)
    async with watched.running():
        await until(lambda: watched.engine is not None)
        first = watched.engine
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: watched.engine not in (None, first), "it dies while it waits, and comes back")
        watched.supervisor.decide("simulated", ["found"])
        await until(lambda: watched.supervisor.alive(["engine"], PATIENCE_S))
    assert watched.supervisor.settings.headline == ("found",)


async def test_a_source_that_was_found_and_is_refused_does_not_end_the_music(settings: Settings) -> None:
    watched = Watched(settings, ["engine"], undecided=True)
    async with watched.running() as task:
        watched.supervisor.decide("replay:/no/such/file.csv", [])
        await until(lambda: any("exit status 2" in line for line in watched.lines))
        assert not task.done()
        assert watched.supervisor.failure is None


async def test_an_end_while_the_source_is_undecided_is_an_end(settings: Settings) -> None:
    watched = Watched(settings, ["engine"], undecided=True, end_s=PATIENCE_S)
    async with watched.running():
        await until(lambda: watched.engine is not None)
    assert watched.lines == []
    assert watched.supervisor.pids == {}


def test_a_role_whose_supervisor_was_killed_before_it_could_ask_ends(settings: Settings) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    command = [sys.executable, "-m", "daemon.child", str(gone.pid), "engine"]
    done = subprocess.run(
        command, input=to_json(settings), capture_output=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == -signal.SIGTERM, done.stderr
