"""Connections of the page that ask for nothing: bounded in time and in number, before any token is asked for.

One whose request has not come whole, or that waits for another one, costs a place that everybody shares. It
has some seconds, and of one address there are so many; of more the oldest goes, whose request seldom comes.
"""

from __future__ import annotations

import asyncio
import ipaddress
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

REQUEST_S = 10.0
"""So long a request may take to come, its body included."""
MAX_WAITING = 200
MAX_OF_ONE = 32
"""Of one address, or of one home's network of IPv6: a browser opens six."""


def network(address: str) -> str:
    """Whose an address is: itself, or the 64 bits that a home has to itself."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


class Waiting:
    """Who waits, the oldest first."""

    def __init__(self) -> None:
        self._all: OrderedDict[PatientProtocol, str] = OrderedDict()

    def add(self, one: PatientProtocol, address: str) -> None:
        """One more, for whom the oldest of its network goes, or of all, where these are too many."""
        mine = network(address)
        theirs = [other for other, its in self._all.items() if its == mine]
        if len(theirs) >= MAX_OF_ONE:
            theirs[0].give_up()
        elif len(self._all) >= MAX_WAITING:
            next(iter(self._all)).give_up()
        self._all[one] = mine

    def drop(self, one: PatientProtocol) -> None:
        """It waits no more."""
        self._all.pop(one, None)


class PatientProtocol(AutoHTTPProtocol):  # type: ignore[misc,valid-type]
    """Uvicorn's own protocol, with an end to its patience. ``waiting`` is set by who serves."""

    waiting: Waiting
    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """From here on a request is waited for."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Some of a request, or all of it."""
        before = self.cycle
        super().data_received(data)
        if self.transport.get_protocol() is not self:  # a socket from now on, with limits of its own
            self._stop_waiting()
        elif (
            self.cycle is None or self.cycle.more_body or (self.cycle is before and before.response_complete)
        ):
            self._wait()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is over."""
        self._stop_waiting()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Another request is waited for, which uvicorn bounds in time."""
        super().on_response_complete()
        self.waiting.add(self, self._address)

    def give_up(self) -> None:
        """Close it without a word."""
        self._stop_waiting()
        self.transport.abort()

    @property
    def _address(self) -> str:
        return self.client[0] if self.client else ""

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(REQUEST_S, self.give_up)
            self.waiting.add(self, self._address)

    def _stop_waiting(self) -> None:
        self.waiting.drop(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def patient_protocol() -> type[PatientProtocol]:
    """The protocol of one server."""
    return type("Patient", (PatientProtocol,), {"waiting": Waiting()})
