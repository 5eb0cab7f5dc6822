"""What all viewers share: the live state, the link that commands go out by, the log and the EEG."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.outlet import Outlet
from daemon.web.state.artwork import Artwork
from daemon.web.state.calibration import CalibrationState
from daemon.web.state.eeg_feed import EegFeed
from daemon.web.state.live_state import LiveState
from daemon.web.state.recordings import Recordings
from daemon.web.state.session_log import SessionLog
from daemon.web.state.track_library import TrackLibrary
from daemon.web.texts import Texts
from daemon.web.views.health_view import Notice, notices
from daemon.web.views.mood_view import MoodView, mood_view
from daemon.web.views.music_view import MusicView, music_view
from player.choice.taste import Taste

log = logging.getLogger(__name__)

Views = tuple[MoodView, MusicView, tuple[Notice, ...]]


@dataclass
class Hub:
    """One a process. Views are computed once a tick and language and shared by all viewers."""

    topics: topics.Topics
    state: LiveState
    texts: Texts
    log: SessionLog
    eeg: EegFeed
    library: TrackLibrary
    artwork: Artwork
    recordings: Recordings
    calibrate: Callable[[Hub], CalibrationState]
    wearer: str
    taste: Callable[[], Taste] = Taste
    outlet: Outlet | None = None
    clock: Callable[[], float] = time.monotonic
    began_s: float = field(default_factory=time.monotonic)
    calibration: CalibrationState = field(init=False)
    _ending: asyncio.Future[None] | None = None
    _tick: int = -1
    _views: dict[int, Views] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.calibration = self.calibrate(self)

    def on_message(self, topic: str, payload: bytes, retained: bool) -> None:
        """A message from the broker."""
        name = self.topics.short(topic)
        if name is None:
            return
        if name in ("cmd/label", "cmd/forget"):
            if not retained:
                self._on_command(name.removeprefix("cmd/"), payload)
            return
        self.state.on_message(name, payload)

    def _on_command(self, name: str, payload: bytes) -> None:
        try:
            command = codec.decode_command(name, payload)
        except MessageError:
            self.state.malformed += 1
            return
        if isinstance(command, commands.LabelCommand):
            self.log.on_label(command)
            self.state.version += 1
        elif isinstance(command, commands.ForgetCommand) and command.wearer == self.wearer:
            self._forget_wearer()

    def _forget_wearer(self) -> None:
        self.log.forget_wearer()
        for memory in (self.state.trail, self.state.opinions, self.state.decisions):
            memory.clear()
        self._ending = asyncio.ensure_future(self.calibration.cancel())
        if self.outlet is not None:
            said = self.state.newest(documents.Emotion, topics.EMOTION)
            made_up = said is not None and said.simulated
            answer = documents.Forgotten(at=datetime.now(UTC), simulated=made_up, role="web")
            self.outlet.publish(topics.FORGOTTEN, answer, qos=1)

    @property
    def subscriptions(self) -> list[str]:
        """Every state of the node, and the wearer's own words."""
        names = [*documents.DOCUMENTS, topics.ENGINE_AVAILABILITY, topics.PLAYER_AVAILABILITY]
        return [self.topics.full(name) for name in names] + [
            *(self.topics.command("label"), self.topics.command(topics.FORGET))
        ]

    def send(self, name: str, command: commands.Command) -> bool:
        """Send a command; False when the broker is not there, so that nobody is told a lie."""
        if self.outlet is None or not self.state.linked:
            return False
        self.outlet.command(name, command)
        return True

    def recording(self) -> bool:
        """Whether the engine says that it records."""
        session = self.state.newest(documents.Session, topics.SESSION)
        return session is not None and session.recording and self.state.online.get("engine", True)

    def views(self, texts: Texts | None = None) -> Views:
        """Mood, music and what is wrong, as of this fifth of a second, told in these texts."""
        texts = texts or self.texts
        tick = int(self.clock() * 5)
        if tick != self._tick:
            self._tick = tick
            self._views.clear()
        if (found := self._views.get(id(texts))) is None:
            found = self._views[id(texts)] = (
                mood_view(self.state, texts),
                music_view(self.state, texts),
                notices(self.state, texts, self.clock() - self.began_s),
            )
        return found
