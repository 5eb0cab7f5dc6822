"""What waits to be published on a link, bounded: the newest state a topic, and a short line of events."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from dataclasses import dataclass, field

MAX_EVENTS = 64


@dataclass
class LinkCounters:
    """What happened on the link since the start."""

    connects: int = 0
    failures: int = 0
    published: int = 0
    received: int = 0
    dropped_events: int = 0
    superseded_states: int = 0
    taken_over: int = 0
    flooding_commands: int = 0


@dataclass(frozen=True)
class Message:
    """What is published on a topic."""

    payload: bytes
    qos: int
    retain: bool
    expiry_s: int | None = None
    """So long a broker that speaks MQTT 5 gives it to those who come; None: for good."""


@dataclass
class Outbox:
    """Latest wins among the states of a topic; of the events the oldest is dropped, and counted."""

    counters: LinkCounters
    states: OrderedDict[str, Message] = field(default_factory=OrderedDict)
    events: deque[tuple[str, Message]] = field(default_factory=lambda: deque(maxlen=MAX_EVENTS))
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def put_state(self, topic: str, message: Message) -> None:
        """Take the place of what waits on this topic."""
        self.counters.superseded_states += topic in self.states
        self.states[topic] = message
        self.ready.set()

    def put_event(self, topic: str, message: Message) -> None:
        """Wait in line."""
        self.counters.dropped_events += len(self.events) == MAX_EVENTS
        self.events.append((topic, message))
        self.ready.set()

    async def get(self) -> tuple[str, Message]:
        """The next to be published, once there is one."""
        while not self.states and not self.events:
            self.ready.clear()
            await self.ready.wait()
        # an event is written without waiting for an answer, so it does not hold up the states
        return self.events.popleft() if self.events else self.states.popitem(last=False)
