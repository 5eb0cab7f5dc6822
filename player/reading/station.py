"""A radio station over HTTP: its sound, and the titles that it sends between (``icy-metaint``)."""

from __future__ import annotations

import contextlib
import http.client
import re
import ssl
import time
import unicodedata
from collections.abc import Callable

from player.location import without_secrets
from player.reading.http_asking import ask, reason_of

TIMEOUT_S = 4.0
STEADY_S = 10.0
"""A station that was heard for so long and breaks off is asked again; one that ends sooner has ended."""
AGAIN_S = (0.0, 0.5, 1.0, 2.0)
MAX_TITLE_CHARS = 200
MOST_BETWEEN = 1 << 20
"""Bytes of sound between two titles that are believed; stations send 8 to 64 thousand."""
TITLE = re.compile(rb"StreamTitle=(?:'(.*?)'(?:;|\0|\Z)|([^;\0]*))", re.DOTALL | re.IGNORECASE)


class UnreachableStationError(Exception):
    """Nobody answers there. The message says why, without the address."""


def open_station(address: str) -> RadioStation | None:
    """The station, if the server sends titles; None where others must see what it is.

    Raises UnreachableStationError where nobody answers or the server says no.
    """
    try:
        answer = ask(address, TIMEOUT_S, {"Icy-MetaData": "1"})
    except OSError as error:
        if isinstance(getattr(error, "reason", error), ssl.SSLError):
            return None
        raise UnreachableStationError(f"the server does not give it ({reason_of(error, address)})") from error
    except (http.client.HTTPException, ValueError):
        return None
    between = _between(answer)
    if between is None:
        answer.close()
        return None
    return RadioStation(answer, between, lambda: ask(address, TIMEOUT_S, {"Icy-MetaData": "1"}))


class RadioStation:
    """What a decoder reads sound from; ``title`` is what was said last before it, empty where nothing was."""

    name = ""

    def __init__(
        self,
        answer: http.client.HTTPResponse,
        between: int,
        again: Callable[[], http.client.HTTPResponse],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._again, self._clock = again, clock
        self.title = ""
        self._listen(answer, between)

    def _listen(self, answer: http.client.HTTPResponse, between: int) -> None:
        self._answer, self._between, self._left = answer, between, between
        self._since_s = self._clock()

    def read(self, n_bytes: int) -> bytes:
        """Up to so many bytes of sound; none once the station has ended or broken off for good."""
        while True:
            data = self._read_sound(n_bytes)
            if data or not self._asked_again():
                return data

    def close(self) -> None:
        """Leave."""
        self._answer.close()

    def _read_sound(self, n_bytes: int) -> bytes:
        try:
            if not self._left:
                self._read_title()
                self._left = self._between
            data = self._answer.read1(min(n_bytes, self._left))
        except (OSError, http.client.HTTPException, ValueError):
            return b""
        self._left -= len(data)
        return data

    def _read_title(self) -> None:
        length = self._answer.read(1)
        said = self._answer.read(16 * length[0]) if length else b""
        found = TITLE.search(said)
        if found is not None:
            self.title = shown_title(found[1] if found[1] is not None else found[2])

    def _asked_again(self) -> bool:
        """Whether the station is heard again, after it broke off; it is asked a few times."""
        if self._clock() - self._since_s < STEADY_S:
            return False
        self._answer.close()
        for wait_s in AGAIN_S:
            time.sleep(wait_s)
            with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
                answer = self._again()
                between = _between(answer)
                if between is not None:
                    self._listen(answer, between)
                    return True
        return False


def shown_title(raw: bytes) -> str:
    """A title as text: UTF-8, else the letters of western Windows; one bounded line without secrets."""
    raw = raw.strip(b"\0 ")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", "replace")
    text = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    return without_secrets(" ".join(text.split()))[:MAX_TITLE_CHARS]


def _between(answer: http.client.HTTPResponse) -> int | None:
    said = answer.headers.get("icy-metaint", "").strip()
    number = int(said) if said.isascii() and said.isdigit() and len(said) < 9 else 0
    return number if 0 < number <= MOST_BETWEEN else None
