"""What the page knows: the newest document of each topic, and short bounded memories of what came before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from daemon.mqtt import codec, documents, topics
from daemon.mqtt.codec import MessageError

TRAIL_POINTS = 60
TRAIL_EVERY_S = 2.0
OPINIONS_S = 20.0
MAX_OPINIONS = 200
MAX_DECISIONS = 30
MAX_ERRORS = 8
ROLES = {topics.ENGINE_AVAILABILITY: "engine", topics.PLAYER_AVAILABILITY: "player"}

DocumentT = TypeVar("DocumentT", bound=documents.Document)
Listener = Callable[[str, documents.Document], None]


@dataclass(frozen=True, slots=True)
class TrailPoint:
    """Where the wearer was, in seconds of the page's own clock."""

    at_s: float
    valence: float | None
    arousal: float


@dataclass
class LiveState:
    """Hears topics by short name and remembers. ``version`` grows with everything that may change the page.

    What breaks the contract is ignored and counted in ``malformed``. Times are seconds of ``clock``.
    """

    clock: Callable[[], float]
    version: int = 0
    malformed: int = 0
    linked: bool = False
    online: dict[str, bool] = field(default_factory=dict)
    offline_since_s: dict[str, float] = field(default_factory=dict)
    trail: deque[TrailPoint] = field(default_factory=lambda: deque(maxlen=TRAIL_POINTS))
    opinions: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MAX_OPINIONS))
    decisions: deque[documents.Decision] = field(default_factory=lambda: deque(maxlen=MAX_DECISIONS))
    errors: deque[tuple[float, documents.CommandError]] = field(
        default_factory=lambda: deque(maxlen=MAX_ERRORS)
    )
    listeners: list[Listener] = field(default_factory=list)
    followers: list[Callable[[str, bool], None]] = field(default_factory=list)
    """Who is told that a role came or went."""
    _newest: dict[str, documents.Document] = field(default_factory=dict)
    _heard_s: dict[str, float] = field(default_factory=dict)

    def newest(self, kind: type[DocumentT], name: str) -> DocumentT | None:
        """The newest document of a topic, if it has said anything."""
        found = self._newest.get(name)
        return found if isinstance(found, kind) else None

    def age_s(self, name: str) -> float | None:
        """Seconds since a topic was last heard."""
        heard_s = self._heard_s.get(name)
        return None if heard_s is None else self.clock() - heard_s

    def link_is(self, up: bool) -> None:
        """The link to the broker came or went."""
        if up != self.linked:
            self.linked = up
            self.version += 1

    def on_message(self, name: str, payload: bytes) -> None:
        """A message of the short topic ``name``. Never raises for its content."""
        if name in ROLES:
            self._on_availability(ROLES[name], payload)
            return
        if name not in documents.DOCUMENTS:
            return
        if not payload:
            self._forget(name)
            return
        try:
            document = codec.decode(name, payload)
        except MessageError:
            self.malformed += 1
            return
        self._newest[name] = document
        self._heard_s[name] = self.clock()
        self._remember(document)
        self.version += 1
        for listener in self.listeners:
            listener(name, document)

    def _on_availability(self, role: str, payload: bytes) -> None:
        if payload not in (topics.ONLINE, topics.OFFLINE):
            self.malformed += bool(payload)
            return
        now_online = payload == topics.ONLINE
        if not now_online and self.online.get(role, True):
            self.offline_since_s[role] = self.clock()
        self.online[role] = now_online
        for follower in self.followers:
            follower(role, now_online)
        self.version += 1

    def _forget(self, name: str) -> None:
        """An empty retained message is how a broker is made to forget a state."""
        if self._newest.pop(name, None) is not None:
            self._heard_s.pop(name, None)
            self.version += 1

    def _remember(self, document: documents.Document) -> None:
        now_s = self.clock()
        match document:
            case documents.Emotion():
                if document.status == "ok" and document.arousal is not None:
                    self._extend_trail(TrailPoint(now_s, document.valence, document.arousal))
            case documents.Estimate():
                if document.arousal is not None:
                    self.opinions.append((now_s, document.arousal))
            case documents.Decision():
                self.decisions.append(document)
            case documents.CommandError():
                self.errors.append((now_s, document))

    def _extend_trail(self, point: TrailPoint) -> None:
        """At most one point each two seconds; the newest of a stretch stands for it."""
        if len(self.trail) > 1 and point.at_s - self.trail[-2].at_s < TRAIL_EVERY_S:
            self.trail.pop()
        self.trail.append(point)

    def recent_opinions(self) -> list[float]:
        """Arousal of the single windows of the last 20 s."""
        since_s = self.clock() - OPINIONS_S
        return [arousal for at_s, arousal in self.opinions if at_s >= since_s]
