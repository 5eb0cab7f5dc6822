"""A role's part in the node's talk: what it says, and how a command that cannot be obeyed is answered."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime

from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.link import MqttLink

log = logging.getLogger(__name__)


class Conversation:
    """Says documents once there is a link; before, nobody would hear them.

    ``simulated`` is asked for each refusal: whether the wearer is simulated may change with the headset.
    """

    def __init__(
        self, node: topics.Topics, wall: Callable[[], datetime], simulated: Callable[[], bool]
    ) -> None:
        self.link: MqttLink | None = None
        self._topics = node
        self._wall = wall
        self._simulated = simulated
        self.refused = 0

    def keep(self, name: str, document: documents.Document) -> None:
        """Say a state, which holds until the next one of its short topic."""
        if self.link is not None and (payload := _encoded(name, document)) is not None:
            self.link.keep(self._topics.full(name), payload)

    def send(self, name: str, document: documents.Document, *, qos: int = 0) -> None:
        """Say an event on a short topic."""
        if self.link is not None and (payload := _encoded(name, document)) is not None:
            self.link.send(self._topics.full(name), payload, qos=qos)

    def obey(
        self, command: str, payload: bytes, retained: bool, act: Callable[[commands.Command], None]
    ) -> bool:
        """Have a command carried out; a bad or retained one is counted and answered, and False returned."""
        try:
            if retained:
                raise MessageError("a retained command is never obeyed")
            act(codec.decode_command(command, payload))
        except (ValueError, OSError) as error:
            self.refused += 1
            refusal = documents.CommandError(
                at=self._wall(),
                simulated=self._simulated(),
                command=command[:200],
                error=str(error)[:2000],
                refused=self.refused,
            )
            self.send(topics.COMMAND_ERROR, refusal, qos=1)
            return False
        return True


def _encoded(name: str, document: documents.Document) -> bytes | None:
    try:
        return codec.encode(document)
    except MessageError as error:  # a bug of ours: better one document missing than the role dead
        log.error("%s was not published: %s", name, error)
        return None
