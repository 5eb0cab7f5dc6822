"""Commands as they come in: parsed once, and answered where they cannot be obeyed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from daemon.mqtt import codec, commands, documents, topics
from daemon.mqtt.codec import MessageError
from daemon.mqtt.outlet import Outlet
from player.location import printable_text


class Inlet:
    """``wall`` gives the time, ``simulated`` whether no wearer is behind this; asked for each refusal."""

    def __init__(self, outlet: Outlet, wall: Callable[[], datetime], simulated: Callable[[], bool]) -> None:
        self._outlet = outlet
        self._wall = wall
        self._simulated = simulated
        self.refused = 0

    def handle(
        self, name: str, payload: bytes, retained: bool, act: Callable[[commands.Command], None]
    ) -> bool:
        """Have what came on a short topic carried out; a bad or retained command is counted and answered.

        What is no command is nobody's fault: the embedded broker hands a client what others asked for.
        Returns whether it was carried out.
        """
        if not name.startswith("cmd/"):
            return False
        command = name.removeprefix("cmd/")
        try:
            if retained:
                raise MessageError("a retained command is never obeyed")
            act(codec.decode_command(command, payload))
        except (ValueError, OSError) as error:
            self.refuse(command, str(error))
            return False
        return True

    def refuse(self, command: str, error: str) -> None:
        """Answer a command that cannot be carried out, also one that was taken and came to nothing later."""
        self.refused += 1
        refusal = documents.CommandError(
            at=self._wall(),
            simulated=self._simulated(),
            command=command,
            error=printable_text(error),
            refused=self.refused,
        )
        self._outlet.publish(topics.COMMAND_ERROR, refusal, qos=1)
