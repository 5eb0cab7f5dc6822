"""What happens in the engine, told to who wants to know: a recording, the page, an outlet, counters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from acquisition.signal import FeedItem
from daemon.engine.prepared import PreparedPipeline
from daemon.mqtt.commands import Command
from daemon.mqtt.documents import Document
from inference.emotion import Reading

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class PipelineChosen:
    """Who reads the wearer from here on: a pipeline's ``first`` classifier, or another one in its place."""

    prepared: PreparedPipeline
    first: bool


@dataclass(frozen=True, slots=True)
class CommandGiven:
    """A command that is about to be carried out, or refused."""

    name: str
    command: Command


@dataclass(frozen=True, slots=True)
class PlayerSaid:
    """What the player has just published, also as the bytes it came in."""

    document: Document
    payload: bytes


class Event(Generic[_T]):
    """Calls its listeners, in the order in which they came. They return at once and never raise."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[_T], None]] = []

    def listen(self, listener: Callable[[_T], None]) -> None:
        """Have this called each time from now on."""
        self._listeners.append(listener)

    def __call__(self, happened: _T) -> None:
        for listener in self._listeners:
            listener(happened)


@dataclass(frozen=True)
class EngineEvents:
    """Everything that happens, in its order."""

    item: Event[FeedItem] = field(default_factory=Event)
    """The feed gave it; the engine has not looked at it yet."""
    reading: Event[Reading] = field(default_factory=Event)
    """The pipeline made it; it is not said yet."""
    item_done: Event[FeedItem] = field(default_factory=Event)
    """All that came of it is said: for who has time, so that no state waits."""
    pipeline: Event[PipelineChosen] = field(default_factory=Event)
    command: Event[CommandGiven] = field(default_factory=Event)
    player: Event[PlayerSaid] = field(default_factory=Event)
