"""Asks an address over http or https: no other scheme, a login only for the one it was given for."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import os
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import unquote, urlsplit

from player.location import openable, without_login

LINE_BYTES = 1000
DENIED = "NEUROPLAYER_INTERNET"
"""Set to ``denied`` where the service manager lets this program reach the home network only."""


def ask(address: str, timeout_s: float, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """The open answer. Raises OSError, HTTPException, ValueError."""
    request = urllib.request.Request(  # noqa: S310 - the opener knows no other schemes
        without_login(address), headers={"User-Agent": "neuroplayer"} | (headers or {})
    )
    parts = urlsplit(openable(address))
    if parts.username is not None:
        login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_unredirected_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    try:
        answer: http.client.HTTPResponse = _opener().open(request, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        error.close()
        raise
    return answer


def reason_of(error: Exception, address: str) -> str:
    """What went wrong, in a few words, without the address."""
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    said = str(reason)[:80] or type(error).__name__
    return said if isinstance(error, urllib.error.HTTPError) else said + shut_out(address)


def shut_out(address: str) -> str:
    """To be added to why an address does not answer: that this service may not leave the home network."""
    if os.environ.get(DENIED) != "denied" or _is_near(address):
        return ""
    return "; this service is kept from the internet: neuroplayer service install --internet"


def _is_near(address: str) -> bool:
    try:
        host = urlsplit(without_login(address)).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_private
    except ValueError:
        return False


class _Answer(http.client.HTTPResponse):
    """SHOUTcast's first servers say ``ICY 200 OK`` where HTTP has its version."""

    def _read_status(self) -> tuple[str, int, str]:
        if not self.fp.peek(4).startswith(b"ICY "):
            found: tuple[str, int, str] = super()._read_status()  # type: ignore[misc]
            return found
        _, status, *reason = self.fp.readline(LINE_BYTES).decode("latin-1").split(maxsplit=2)
        return "HTTP/1.0", int(status), reason[0].strip() if reason else ""


class _Plain(http.client.HTTPConnection):
    response_class = _Answer


class _Secure(http.client.HTTPSConnection):
    response_class = _Answer


class _PlainHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_Plain, request)


class _SecureHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> Any:
        return self.do_open(_Secure, request)


def _opener() -> urllib.request.OpenerDirector:
    """Http and https alone, also where an answer leads on: a file or FTP address is none."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        _PlainHandler,
        _SecureHandler,
        urllib.request.HTTPRedirectHandler,
        urllib.request.HTTPErrorProcessor,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.UnknownHandler,
    ):
        opener.add_handler(handler())
    return opener
