"""An aiomqtt client whose small packets leave at once."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiomqtt
from paho.mqtt.client import MQTTMessage

T = TypeVar("T")


class NoAnswerError(aiomqtt.MqttError):
    """The broker has said nothing in the time it had."""


class DirectClient(aiomqtt.Client):
    """``aiomqtt.Client`` without its two detours: what comes is heard in the call that has read it, and what
    is said is written in the call that says it. The detours cost two or three turns of the event loop each.

    There is no queue of messages either: while they are digested the broker waits, by TCP's own means.
    """

    def __init__(self, digest: Callable[[MQTTMessage], None], *given: Any, **options: Any) -> None:
        self._digest = digest
        self._digesting = False
        self._thread = threading.get_ident()
        self._given_up = False
        super().__init__(*given, **options)

    def give_up(self) -> None:
        """Close the socket that a failed or broken attempt may have left open; aiomqtt leaves it to us."""
        self._given_up = True
        with contextlib.suppress(OSError, ValueError):
            self._client._sock_close()

    def _client_connect(self) -> None:
        """In a thread, which nobody can cancel: what it opens for an attempt given up meanwhile is closed."""
        try:
            super()._client_connect()
        finally:
            if self._given_up:
                self._loop.call_soon_threadsafe(self.give_up)

    async def _wait_for(self, fut: Awaitable[T], timeout: float | None) -> T:
        """As aiomqtt's own, with a type for what it tells apart by its text alone."""
        try:
            return await super()._wait_for(fut, timeout)
        except aiomqtt.MqttError as error:
            if isinstance(error.__context__, TimeoutError):
                raise NoAnswerError(str(error)) from None
            raise

    def _on_message(self, client: Any, userdata: Any, message: MQTTMessage) -> None:
        self._digesting = True
        try:
            self._digest(message)
        finally:
            self._digesting = False

    def _on_socket_register_write(self, client: Any, userdata: Any, sock: Any) -> None:
        """Something is to be written. Do it now; what the socket does not take waits for the loop."""
        if not self._digesting and threading.get_ident() == self._thread:
            try:
                client.loop_write()
            except Exception as error:  # noqa: BLE001 - as aiomqtt itself does: the link is broken
                if not self._disconnected.done():
                    self._disconnected.set_exception(error)
            if not client.want_write() or sock.fileno() < 0:
                return
        super()._on_socket_register_write(client, userdata, sock)
