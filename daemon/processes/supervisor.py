"""Starts the roles as child processes, starts them again when they die, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import msgspec

from daemon.errors import EXIT_BAD_INPUT
from daemon.processes.child_patience import done_in_time
from daemon.processes.heartbeat import HUNG_S, START_S, Heartbeat
from daemon.processes.systemd_notify import OWN_VARIABLES
from daemon.settings import RoleName, Settings, to_json

FIRST_RESTART_S = 0.1
MAX_RESTART_S = 30.0
HEALTHY_S = 20.0
"""A role that lived so long starts the backoff anew."""
START_AFTER_S: dict[RoleName, float] = {"engine": 0.2, "view": 0.3, "web": 0.8}
"""The music and the broker start first: on two cores five interpreters at once make all of them late."""
MAX_LINE_BYTES = 4096
NOISE = ("INFO: Created TensorFlow Lite", "Failed to create secure directory", "Failed to get home directory")
"""What a native library prints, that no person can use."""
NEED_SOURCE: frozenset[RoleName] = frozenset({"engine", "view"})
"""These wait for what the search for a headset finds; music, broker and page do not."""
WATCHED: frozenset[RoleName] = frozenset({"engine", "player", "web"})
KILLED_S = 1.0
"""What was killed has so long to be gone, and what it said last to be read."""
END_S = 3.2
"""A role that could have run so long after SIGTERM is killed: with view and broker the end stays under 5 s
where the machine is not busy."""
VIEW_FIRST_S = 0.8
BROKER_END_S = 0.8
LOOK_S = 0.1

Notify = Callable[[str], None]


@dataclass
class _Child:
    role: RoleName
    process: asyncio.subprocess.Process | None = None
    starts: int = 0
    renewed: bool = False
    """It was ended to begin anew with other settings: nothing of its last life is gone on with."""
    fresh: bool = False
    """Its next life is the first one of a session."""
    living: bool = False
    heart: Heartbeat | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=5))

    def end(self) -> None:
        """Ask the process to end, where one is alive."""
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, also to a process that ends in this very moment: asyncio's own way raises then."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, number)

    def kill(self) -> None:
        """Kill the process, where it is alive, and whatever it has started."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Keeps roles alive until it is told to stop, or until one says that its input is bad.

    ``notify`` gets each line a role writes; the view's own output goes to the terminal directly. While the
    source is ``undecided``, roles that need it are started, but get their settings only after ``decide``.
    """

    def __init__(
        self,
        roles: Sequence[RoleName],
        settings: Settings,
        *,
        notify: Notify,
        hung_s: float = HUNG_S,
        end_s: float = END_S,
        undecided: bool = False,
    ) -> None:
        self._settings = settings
        self._notify = notify
        self._hung_s, self._end_s = hung_s, end_s
        self._children = {role: _Child(role) for role in roles}
        self._stop = asyncio.Event()
        self._looked = undecided
        self._may_begin = asyncio.Event()
        self._may_begin.set()
        self._decided = asyncio.Event()
        if not undecided:
            self._decided.set()
        self.failure: str | None = None

    @property
    def settings(self) -> Settings:
        """With which roles are started now."""
        return self._settings

    def decide(self, source: str, headline: Sequence[str]) -> None:
        """What the search has found; a source that a reload has named meanwhile stands."""
        if not self._settings.source_named:
            self._settings = msgspec.structs.replace(self._settings, source=source)
        self._settings = msgspec.structs.replace(self._settings, headline=tuple(headline))
        self._decided.set()

    def stop(self) -> None:
        """End everything; ``run`` returns once it is done."""
        self._stop.set()

    @property
    def pids(self) -> dict[str, int]:
        """The process of each role that is alive."""
        alive = {role: child.process for role, child in self._children.items()}
        return {
            role: process.pid for role, process in alive.items() if process and process.returncode is None
        }

    def alive(self, roles: Sequence[str], within_s: float) -> bool:
        """Whether each of these roles that is kept here gave a sign of life that lately."""
        hearts = [child.heart for role, child in self._children.items() if role in roles]
        return all(
            heart is not None and heart.has_beaten() and heart.silent_s() < within_s for heart in hearts
        )

    def renew(self, settings: Settings, roles: Sequence[RoleName]) -> None:
        """From now on start roles with these settings, and start the ones named again."""
        self._settings = settings
        for role in roles:
            child = self._children.get(role)
            if child and child.process is not None and child.process.returncode is None:
                child.renewed = True
                child.end()

    async def change(self, settings: Settings, between: Callable[[], Awaitable[None]]) -> None:
        """End all but the broker, do what is to be done ``between``, and begin a session with these settings.

        Nothing of the first session lives when the other one begins.
        """
        children = [child for role, child in self._children.items() if role != "broker"]
        self._may_begin.clear()
        try:
            await asyncio.gather(*map(self._until_gone, children))
            self._settings = settings
            for child in children:
                child.fresh = True
            await between()
        finally:
            self._may_begin.set()

    async def _until_gone(self, child: _Child) -> None:
        told: asyncio.subprocess.Process | None = None
        while child.living:
            process = child.process
            if process is None or process is told:  # it is just being made, or its last words are read
                await asyncio.sleep(LOOK_S)
                continue
            child.end()
            if not await done_in_time(asyncio.ensure_future(process.wait()), process.pid, self._end_s):
                child.kill()
            told = process

    def hang_up(self, role: RoleName) -> None:
        """Tell a role to read its configuration anew."""
        if role in self._children:
            self._children[role].signal(signal.SIGHUP)

    async def run(self) -> int:
        """Keep the roles alive; the exit status is 2 when one refused its input."""
        keepers = {
            role: asyncio.create_task(self._supervise(child), name=role)
            for role, child in self._children.items()
        }
        if self._settings.duration_s is None:
            await self._stop.wait()
        else:
            await self._until_view()
            await self._pause(self._settings.duration_s)
        self._stop.set()
        self._decided.set()  # nobody waits for a source any more
        self._may_begin.set()
        await self._end(keepers)
        return EXIT_BAD_INPUT if self.failure else 0

    async def _until_view(self) -> None:
        """From here a duration counts: a view that is still starting could not tell the summary."""
        view = self._children.get("view")
        began_s = time.monotonic()
        while view and time.monotonic() - began_s < START_S and not self._stop.is_set():
            if view.heart is not None and view.heart.has_beaten():
                return
            await self._pause(LOOK_S)

    async def _end(self, keepers: dict[RoleName, asyncio.Task[None]]) -> None:
        """The view first: it gives the terminal back and tells the summary. The broker last."""
        ending = []
        if "view" in keepers:
            view = asyncio.create_task(self._finish("view", keepers["view"], VIEW_FIRST_S + self._end_s))
            await asyncio.wait({view}, timeout=VIEW_FIRST_S)
            ending.append(view)  # one that is late tells its summary while the others end
        others = [role for role in keepers if role not in ("view", "broker")]
        await asyncio.gather(*ending, *(self._finish(role, keepers[role], self._end_s) for role in others))
        if "broker" in keepers:
            await self._finish("broker", keepers["broker"], BROKER_END_S)

    async def _finish(self, role: RoleName, keeper: asyncio.Task[None], patience_s: float) -> None:
        """End the process; its keeper then ends by itself, once nothing of this life is left."""
        child = self._children[role]
        child.end()
        pid = child.process.pid if child.process is not None else os.getpid()
        if not await done_in_time(keeper, pid, patience_s):
            self._notify(f"{role} did not end in time and was killed")
            child.kill()
            await asyncio.wait({keeper}, timeout=KILLED_S)
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)

    async def _pause(self, seconds: float) -> None:
        """Wait so long, unless it is time to end."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), timeout=seconds)

    async def _supervise(self, child: _Child) -> None:
        pause_s = FIRST_RESTART_S
        await self._pause(START_AFTER_S.get(child.role, 0.0))
        while await self._until_may_begin():
            began = time.monotonic()
            try:
                code = await self._live(child)
            except OSError as error:  # no process, no memory or no descriptor left: later there may be
                self._notify(f"{child.role} cannot be started: {error.strerror or error}")
                code = 1
            if not self._may_begin.is_set():
                continue
            if self._stop.is_set() or (child.role == "view" and code == 0):
                return
            # what came later, and a source that nobody named, must not end the music
            if code == EXIT_BAD_INPUT and child.starts == 1 and not self._was_found(child):
                self.failure = self.failure or (child.last_lines[-1] if child.last_lines else child.role)
                self._stop.set()
                return
            if time.monotonic() - began > HEALTHY_S:
                pause_s = FIRST_RESTART_S
            self._notify(f"{child.role} ended ({_words(code)}), starting it again in {pause_s:.1f} s")
            await self._pause(pause_s)
            pause_s = min(MAX_RESTART_S, pause_s * 2)

    async def _until_may_begin(self) -> bool:
        await self._may_begin.wait()
        return not self._stop.is_set()

    def _was_found(self, child: _Child) -> bool:
        """Whether a search has chosen what this role may have refused."""
        return child.role == "engine" and self._looked and not self._settings.source_named

    async def _live(self, child: _Child) -> int:
        """One life of a role: start it, hand it the settings, relay what it says."""
        child.starts += 1
        child.living, child.process = True, None
        try:
            return await self._lived(child)
        finally:
            child.living = False

    async def _lived(self, child: _Child) -> int:
        with contextlib.closing(Heartbeat(self._hung_s)) as heart:
            child.heart = heart
            child.process = process = await self._start(child.role, heart)
            await self._hand_over(child, process)
            relay = asyncio.create_task(self._relay(child, process.stderr)) if process.stderr else None
            try:
                return await self._wait(child, process, heart)
            finally:
                child.kill()  # and what the role itself had started
                if relay is not None:
                    await asyncio.wait({relay}, timeout=KILLED_S)
                    relay.cancel()
                    await asyncio.gather(relay, return_exceptions=True)

    async def _start(self, role: RoleName, heart: Heartbeat) -> asyncio.subprocess.Process:
        own_terminal = role == "view"
        process: asyncio.subprocess.Process | None = None
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "daemon.child", str(os.getpid()), role),
                stdin=asyncio.subprocess.PIPE,
                stdout=None if own_terminal else asyncio.subprocess.DEVNULL,
                stderr=None if own_terminal else asyncio.subprocess.PIPE,
                start_new_session=True,
                limit=MAX_LINE_BYTES,
                pass_fds=(heart.write_fd,),
                env=_environment() | heart.environment(),
            )
            return process
        finally:
            heart.started(None if process is None else process.pid)

    async def _hand_over(self, child: _Child, process: asyncio.subprocess.Process) -> None:
        """Give a role its settings, or end it where it was time to end while it was made and waited."""
        if child.role in NEED_SOURCE and not self._decided.is_set():
            await self._until_decided(process)
        if self._stop.is_set() or not self._may_begin.is_set():
            child.end()
        if process.stdin is not None:
            with contextlib.suppress(ConnectionError):
                process.stdin.write(to_json(self._for_life(child)))
                await process.stdin.drain()
            process.stdin.close()

    async def _until_decided(self, process: asyncio.subprocess.Process) -> None:
        """Or until the process ends that would get the settings."""
        waits = [asyncio.create_task(self._decided.wait()), asyncio.create_task(process.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    def _for_life(self, child: _Child) -> Settings:
        """A later life goes on with what an earlier one has begun: recordings, and the wearer's rest."""
        renewed, child.renewed = child.renewed, False
        fresh, child.fresh = child.fresh, False
        settings = msgspec.structs.replace(self._settings, duration_s=None)  # the end is told, to all at once
        if child.starts == 1:
            return settings
        output = re.sub(r"(^|,)wav:", r"\1wav+:", settings.output)
        if fresh:
            return msgspec.structs.replace(settings, output=output)
        rest_again = settings.baseline != 0 and not renewed
        return msgspec.structs.replace(settings, again=True, output=output, rest_again=rest_again)

    async def _wait(self, child: _Child, process: asyncio.subprocess.Process, heart: Heartbeat) -> int:
        """The exit status; a role that hangs is killed."""
        if child.role not in WATCHED:
            return await process.wait()
        ended = asyncio.create_task(process.wait())
        hung = asyncio.create_task(heart.until_hung())
        try:
            await asyncio.wait({ended, hung}, return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                self._notify(f"{child.role} gives no sign of life and is killed")
                child.kill()
            return await ended
        finally:
            for task in (ended, hung):
                task.cancel()
            await asyncio.gather(ended, hung, return_exceptions=True)

    async def _relay(self, child: _Child, stream: asyncio.StreamReader) -> None:
        while True:
            try:
                line = await stream.readline()
            except ValueError:  # a line over the limit: its pieces are of no use to anybody
                continue
            if not line:
                return
            text = line.decode("utf-8", "replace").rstrip()
            if text and not text.startswith(NOISE):
                child.last_lines.append(text)
                self._notify(text)


def _environment() -> dict[str, str]:
    """Our own, without what lets a process speak to systemd in our name."""
    kept = {name: value for name, value in os.environ.items() if name not in OWN_VARIABLES}
    return kept | {"PYTHONUNBUFFERED": "1"}


def _words(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
    return f"exit status {code}"
