"""Requests to a server of music: bounded, verified, and led nowhere that its owner did not mean."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from player.library.sources.servers.source_errors import MusicServerError

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Rules:
    """What is believed and where an answer may lead."""

    ca_file: Path | None = None
    redirects_inside: bool = False


class Web:
    """Asks one server. Messages never hold the address's query, where the token stands."""

    def __init__(self, rules: Rules) -> None:
        """Raises MusicServerError for certificates that cannot be read."""
        try:
            context = ssl.create_default_context()
            if rules.ca_file is not None:
                context.load_verify_locations(rules.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise MusicServerError(f"the certificates of ca_file cannot be read ({error.strerror})") from None
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(context=context),
            _Redirects(rules.redirects_inside),
            urllib.request.HTTPErrorProcessor(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.UnknownHandler(),
        ):
            self._opener.add_handler(handler)

    def get(self, url: str, from_byte: int | None = None) -> http.client.HTTPResponse:
        """The answer, with its body unread. Raises MusicServerError."""
        headers = {"User-Agent": "neuroplayer"}
        if from_byte is not None:
            headers["Range"] = f"bytes={from_byte}-"
        request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an account's is http(s)
        try:
            answer: Any = self._opener.open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            error.close()
            raise MusicServerError(f"the server answers {error.code} {error.reason!s:.60}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise MusicServerError(words_of(error)) from None
        response: http.client.HTTPResponse = answer
        return response


def words_of(error: Exception) -> str:
    """One line for a person."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, Exception) else error
    if isinstance(cause, MusicServerError):
        return str(cause)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the server's certificate is not believed ({cause.verify_message:.120})"
    if isinstance(cause, ssl.SSLError):
        return f"no safe connection can be made ({cause.reason or 'TLS'!s:.80})"
    if isinstance(cause, http.client.IncompleteRead):
        return "the server ends before the end of what it promised"
    if isinstance(cause, TimeoutError):
        return f"the server says nothing for {TIMEOUT_S:g} s"
    if isinstance(cause, socket.gaierror):
        return "there is no such host"
    if isinstance(cause, OSError) and cause.strerror:
        return f"the server cannot be reached ({cause.strerror:.80})"
    return f"the server answers no HTTP ({type(cause).__name__})"


class _Redirects(urllib.request.HTTPRedirectHandler):
    """To the same host as often as it likes; to another only where that is no way into the home network."""

    def __init__(self, inside: bool) -> None:
        self._inside = inside

    def redirect_request(
        self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Raises MusicServerError where it may not be followed."""
        try:
            self._check(req, newurl)
        except MusicServerError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)

    def _check(self, req: Any, newurl: str) -> None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme == "http"):
            raise MusicServerError(f"the server leads on to {new.scheme}, which is not followed")
        if (old.hostname, old.port) != (new.hostname, new.port) and not self._inside:
            host = new.hostname or ""
            if not _is_public(host):
                raise MusicServerError(
                    f"the server leads on to {host!r:.80}, an inner address: redirects_inside is false"
                )


def _is_public(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(one[4][0]).partition("%")[0]).is_global for one in found)
