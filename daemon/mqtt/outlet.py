"""The one way onto the wire: documents and commands come here as types, are encoded once and never parsed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

import msgspec

from daemon.mqtt.codec import MAX_STATE_BYTES, MessageError, encode
from daemon.mqtt.commands import Command
from daemon.mqtt.documents import Document
from daemon.mqtt.fitting import ROOM, fitted
from daemon.mqtt.topics import EXPIRY_S, Topics

log = logging.getLogger(__name__)

Listener = Callable[[Document], None]
Share = Callable[[Document], Document | None]
"""What may leave of a document; None where nothing of it may."""


class Wire(Protocol):
    """What the outlet needs of ``daemon.mqtt.transport.link.MqttLink``."""

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None: ...

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None: ...


class Outlet:
    """Publishes once there is a ``link``; before, nobody would hear it.

    Listeners are told each document whole, just before it leaves; what leaves is what ``share`` lets through.
    """

    def __init__(self, node: Topics, link: Wire | None = None) -> None:
        self.node = node
        self.link = link
        self.share: Share = lambda document: document
        self.replayed = False
        """Whether the EEG behind all that is said is a recording's."""
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have this called with every document from now on. It may publish, returns at once, never raises."""
        self._listeners.append(listener)

    def retain(self, name: str, document: Document) -> None:
        """Publish a state, which holds until the next one of its short topic."""
        if self.link is not None and (payload := self._payload(name, document)) is not None:
            self.link.retain(self.node.full(name), payload, EXPIRY_S.get(name))

    def publish(self, name: str, document: Document, *, qos: int = 0) -> None:
        """Publish an event on a short topic."""
        if self.link is not None and (payload := self._payload(name, document)) is not None:
            self.link.send(self.node.full(name), payload, qos=qos)

    def command(self, name: str, command: Command) -> None:
        """Publish a command by its name. Raises ``TopicError`` and ``MessageError``."""
        if self.link is not None:
            self.link.send(self.node.command(name), encode(command), qos=1)

    def _payload(self, name: str, document: Document) -> bytes | None:
        if self.replayed:
            document = msgspec.structs.replace(document, replayed=True)
        try:
            document, payload = self._encoded(document)
        except MessageError as error:  # a bug of ours: better one document missing than the role dead
            log.error("%s was not published: %s", name, error)
            return None
        for listener in self._listeners:
            listener(document)
        return payload

    def _encoded(self, document: Document) -> tuple[Document, bytes | None]:
        """The document as its bounds let it be, and its bytes: with less text if these are too many."""
        for room in ROOM:
            document = fitted(document, room)
            shared = self.share(document)
            payload = None if shared is None else encode(shared)
            if payload is None or len(payload) <= MAX_STATE_BYTES:
                return document, payload
        raise MessageError(f"more than {MAX_STATE_BYTES} bytes")
