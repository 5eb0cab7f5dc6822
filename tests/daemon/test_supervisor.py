"""The supervisor with real roles as its children."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from real_broker import RealBroker
from waiting import PATIENCE_S, until

from daemon.settings import BrokerSettings, RoleName, Settings, to_json
from daemon.supervisor import Supervisor

pytestmark = pytest.mark.broker


class Watched:
    """A supervisor that runs while a test looks."""

    def __init__(self, settings: Settings, roles: list[RoleName]) -> None:
        self.lines: list[str] = []
        self.supervisor = Supervisor(roles, settings, say=self.lines.append, hung_s=PATIENCE_S)

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


async def test_bad_input_at_the_start_ends_everything_with_its_line(settings: Settings) -> None:
    import msgspec

    wrong = msgspec.structs.replace(settings, source="replay:/no/such/file.csv")
    watched = Watched(wrong, ["engine"])
    async with watched.running() as task:
        assert await asyncio.wait_for(task, PATIENCE_S) == 2
    assert watched.supervisor.failure == "neuroplayer: /no/such/file.csv: no such file"


async def test_bad_input_later_does_not_end_the_music(settings: Settings, tmp_path: Path) -> None:
    import msgspec

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
    import msgspec

    from daemon import supervisor
    from player.output_spec import split_outputs

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
