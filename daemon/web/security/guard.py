"""Stands before the page: addresses, origin, token, rates, sizes and the headers of every answer."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from daemon.rate_limit import Bucket, Buckets
from daemon.web.security.access import COOKIE, content_policy, host_allowed, origin_allowed, same_token
from daemon.web.security.token_page import going_on_page, token_page
from daemon.web.texts import Texts

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_BODY_BYTES = 64 * 1024
MAX_SOCKETS = 64
PAGE_BURST = 120
"""Pages that one address may open at once; two a second after that."""
SOCKET_PATH = "/_nicegui_ws/"
HIDDEN_HEADERS = frozenset({b"x-forwarded-prefix", b"x-forwarded-for", b"forwarded"})
"""Headers that would steer what NiceGUI writes into the page, or that pretend another address."""
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "camera",
        "microphone",
        "geolocation",
        "usb",
        "bluetooth",
        "serial",
        "hid",
        "midi",
        "payment",
    )
).encode()
"""Nothing of the device is ever asked for."""
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    # not "no-referrer": browsers then send a form with the origin "null"
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", PERMISSIONS),
)


class RefusedError(Exception):
    """The request is answered with ``status`` and one sentence."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass
class Guard:
    """An ASGI application around another. ``token`` None: only loopback's own names are served."""

    app: AsgiApp
    texts: Texts
    token: str | None
    token_file: str
    clock: Callable[[], float]
    sockets: int = 0
    _requests: Buckets = field(init=False)
    _pages: Buckets = field(init=False)
    _guesses: Buckets = field(init=False)

    def __post_init__(self) -> None:
        self._requests = Buckets(1200, 80, self.clock)
        self._pages = Buckets(PAGE_BURST, 2, self.clock)
        self._guesses = Buckets(10, 0.2, self.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection, or refuse it in one sentence."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        forwarded = any(name in headers for name in HIDDEN_HEADERS)
        scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() not in HIDDEN_HEADERS]
        scope.setdefault("state", {})["forwarded"] = forwarded
        try:
            self._check(scope, headers)
            if scope["type"] == "websocket":
                await self._socket(scope, receive, send)
            elif self.token is not None and not self._known(headers):
                await self._ask_token(scope, headers, receive, send)
            else:
                await self._page(scope, receive, send)
        except RefusedError as refusal:
            await _refuse(scope, send, refusal)

    def _check(self, scope: Scope, headers: dict[bytes, str]) -> None:
        texts, host = self.texts, headers.get(b"host", "")
        if not host_allowed(host, local_only=self.token is None):
            raise RefusedError(HTTPStatus.MISDIRECTED_REQUEST, texts("error.host"))
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        own = origin_allowed(headers.get(b"origin"), host, required=False)
        if not own or (
            changes and headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none")
        ):
            raise RefusedError(HTTPStatus.FORBIDDEN, texts("error.origin"))
        address = scope["client"][0] if scope.get("client") else ""
        page = not scope["path"].startswith(("/_nicegui", "/static", "/artwork"))
        if not self._requests.allow(address) or (page and not self._pages.allow(address)):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, texts("error.too_many"))
        length = headers.get(b"content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES or b"transfer-encoding" in headers:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, texts("error.too_large"))
        if scope["type"] == "http" and scope["path"].startswith(SOCKET_PATH):
            # long polling would pass by the limits of a socket
            raise RefusedError(HTTPStatus.NOT_FOUND, texts("app.not_found"))

    def _known(self, headers: dict[bytes, str]) -> bool:
        try:
            cookie = SimpleCookie(headers.get(b"cookie", "")[:4096]).get(COOKIE)
        except CookieError:
            return False
        return cookie is not None and self.token is not None and same_token(cookie.value, self.token)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self.token is not None and not self._known(headers):
            raise RefusedError(HTTPStatus.UNAUTHORIZED, self.texts("token.heading"))
        if self.sockets >= MAX_SOCKETS:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, self.texts("error.too_many_viewers"))
        bucket = Bucket(300, 40, self.clock)

        async def bounded() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive" and not bucket.allow():
                return {"type": "websocket.disconnect", "code": 1008}
            return message

        self.sockets += 1
        try:
            await self.app(scope, bounded, send)
        finally:
            self.sockets -= 1

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, with the headers added and each script of an HTML page marked with this answer's nonce."""
        nonce = secrets.token_urlsafe(18)
        start: Message = {}
        body = bytearray()

        async def dressed(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                start["headers"] = _with_headers(message["headers"], nonce)
                if not _is_html(message["headers"]):
                    await send(message)
            elif message["type"] == "http.response.body" and _is_html(start["headers"]):
                body.extend(message.get("body", b""))
                if not message.get("more_body"):
                    await _send_page(send, start, bytes(body), nonce)
            else:
                await send(message)

        await self.app(scope, receive, dressed)

    async def _ask_token(self, scope: Scope, headers: dict[bytes, str], receive: Receive, send: Send) -> None:
        """Let in who brings the token in the address or the form, as a cookie; ask everybody else."""
        given = parse_qs(scope["query_string"][:500].decode("latin-1")).get("token", [""])[0]
        if scope["method"] == "POST":
            message = await receive()
            given = parse_qs(message.get("body", b"")[:500].decode("latin-1")).get("token", [""])[0]
        address = scope["client"][0] if scope.get("client") else ""
        if given and not self._guesses.allow(address):
            raise RefusedError(HTTPStatus.TOO_MANY_REQUESTS, self.texts("error.too_many"))
        if given and self.token is not None and same_token(given.strip(), self.token):
            await self._let_in(scope, send)
            return
        page = token_page(self.texts, self.token_file, wrong=bool(given))
        await _answer(send, HTTPStatus.UNAUTHORIZED, page, [(b"content-type", b"text/html; charset=utf-8")])

    async def _let_in(self, scope: Scope, send: Send) -> None:
        """A redirect would not do for a link from elsewhere: the browser counts its target as asked for from
        there too, and withholds a strict cookie. So a page of our own goes on to the next.
        """
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = f"{COOKIE}={self.token}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000{secure}"
        answer = [(b"set-cookie", cookie.encode()), (b"cache-control", b"no-store")]
        if scope["method"] == "POST":
            await _answer(send, HTTPStatus.SEE_OTHER, b"", [*answer, (b"location", b"/")])
        else:
            html = (b"content-type", b"text/html; charset=utf-8")
            await _answer(send, HTTPStatus.OK, going_on_page(self.texts), [*answer, html])


def _with_headers(headers: list[tuple[bytes, bytes]], nonce: str) -> list[tuple[bytes, bytes]]:
    policy = (b"content-security-policy", content_policy(nonce).encode())
    return [*headers, *HEADERS, policy]


def _is_html(headers: list[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"text/html") for name, value in headers)


async def _send_page(send: Send, start: Message, body: bytes, nonce: str) -> None:
    # texts inside the page are escaped by NiceGUI, so that every "<script" here is one of its own tags
    marked = body.replace(b"<script", f'<script nonce="{nonce}"'.encode())
    kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
    start["headers"] = [*kept, (b"content-length", str(len(marked)).encode())]
    await send(start)
    await send({"type": "http.response.body", "body": marked})


async def _refuse(scope: Scope, send: Send, refusal: RefusedError) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": str(refusal)[:100]})
        return
    plain = [(b"content-type", b"text/plain; charset=utf-8")]
    await _answer(send, refusal.status, f"{refusal}\n".encode(), plain)


async def _answer(send: Send, status: HTTPStatus, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    dressed = _with_headers(
        [*headers, (b"content-length", str(len(body)).encode())], secrets.token_urlsafe(18)
    )
    await send({"type": "http.response.start", "status": int(status), "headers": dressed})
    await send({"type": "http.response.body", "body": body})
