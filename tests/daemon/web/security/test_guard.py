"""Who is let in: pure rules, and the real page asked in ways a browser would not."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.rate_limit import MAX_KNOWN, Bucket, Buckets
from daemon.web.security.access import (
    COOKIE,
    host_allowed,
    is_loopback,
    origin_allowed,
    own_token,
    same_token,
    split_host,
)
from daemon.web.security.guard import PAGE_BURST, Guard
from daemon.web.texts import texts
from support.browser.live_page import LivePage, live_page
from support.browser.talker import eventually
from support.waiting import PATIENCE_S

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is the case in question


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.1", "localhost", "LOCALHOST", "::1", "[::1]", "::ffff:127.0.0.1"]
)
def test_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", [EVERYWHERE, "::", "", "192.168.1.4", "example.org", "127.0.0.1.example.org", "::ffff:10.0.0.1"]
)
def test_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_a_foreign_name_that_resolves_here_is_refused() -> None:
    assert host_allowed("localhost:8765", local_only=True)
    assert host_allowed("[::1]:8765", local_only=True)
    assert not host_allowed("evil.example:8765", local_only=True)
    assert not host_allowed("", local_only=True)
    assert host_allowed("livingroom.local:8765", local_only=False)


def test_only_the_page_itself_is_the_origin() -> None:
    assert origin_allowed("http://localhost:8765", "localhost:8765", required=True)
    assert origin_allowed(None, "localhost:8765", required=False)
    assert not origin_allowed(None, "localhost:8765", required=True)
    for other in (
        "http://localhost:9999",
        "http://evil.example",
        "null",
        "file://",
        "http://[",
        "javascript:1",
    ):
        assert not origin_allowed(other, "localhost:8765", required=False), other


@given(st.text(max_size=80))
def test_no_header_breaks_the_rules(header: str) -> None:
    split_host(header)
    origin_allowed(header, header, required=True)
    is_loopback(header)


def test_the_token_has_128_bits_and_is_private(tmp_path: Path) -> None:
    token = own_token(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{32}", token)
    assert stat.S_IMODE((tmp_path / "web-token").stat().st_mode) == 0o600
    assert own_token(tmp_path) == token
    assert own_token(tmp_path / "other") != token


def test_a_token_that_others_could_read_is_replaced(tmp_path: Path) -> None:
    token = own_token(tmp_path)
    (tmp_path / "web-token").chmod(0o644)
    fresh = own_token(tmp_path)
    assert fresh != token
    assert stat.S_IMODE((tmp_path / "web-token").stat().st_mode) == 0o600
    (tmp_path / "web-token").write_text("short")
    assert len(own_token(tmp_path)) == 32


def test_tokens_are_compared_whatever_is_given() -> None:
    assert same_token("ab", "ab")
    assert not same_token("ü" * 32, "a" * 32)


def test_a_bucket_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(3, 2, lambda: now[0])
    assert [bucket.allow() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 1.0
    assert [bucket.allow() for _ in range(3)] == [True, True, False]


def test_strangers_are_a_bounded_number() -> None:
    buckets = Buckets(1, 0, lambda: 0.0)
    for number in range(3 * MAX_KNOWN):
        buckets.allow(f"10.0.{number}")
    assert len(buckets._known) == MAX_KNOWN


async def ask(guard: Guard, **scope: Any) -> tuple[int, bytes]:
    """One request straight into the guard."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    given_scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "client": ("10.0.0.9", 1),
    }
    await guard(given_scope | scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:])


def a_guard(token: str | None = None) -> Guard:
    async def inside(_scope: Any, _receive: Any, send: Any) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        )
        await send({"type": "http.response.body", "body": b"<script>1</script>"})

    return Guard(inside, texts(), token, "/state/web-token", lambda: 0.0)


async def test_pages_are_limited_per_address() -> None:
    guard = a_guard()
    answers = [(await ask(guard))[0] for _ in range(PAGE_BURST + 40)]
    assert answers.count(200) == PAGE_BURST
    assert answers[-1] == 429
    assert (await ask(guard, client=("10.0.0.10", 1)))[0] == 200


async def test_guesses_at_the_token_are_few() -> None:
    guard = a_guard("a" * 32)
    answers = [(await ask(guard, query_string=b"token=" + b"b" * 32))[0] for _ in range(30)]
    assert answers.count(401) == 10
    assert answers[-1] == 429
    assert (await ask(guard, client=("10.0.0.11", 1), query_string=b"token=" + b"a" * 32))[0] == 200


async def test_a_flood_on_one_socket_ends_it() -> None:
    heard = []

    async def inside(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] == "websocket.receive":
            heard.append(message)

    guard = Guard(inside, texts(), None, "", lambda: 0.0)

    async def receive() -> Any:
        return {"type": "websocket.receive", "text": "x"}

    async def send(_message: Any) -> None:
        return None

    scope = {"type": "websocket", "path": "/", "query_string": b"", "headers": [(b"host", b"localhost")]}
    await asyncio.wait_for(guard(scope, receive, send), PATIENCE_S)
    assert len(heard) == 300
    assert guard.sockets == 0


# ---- the real page


def test_every_answer_carries_the_policy_and_scripts_need_its_nonce(page: LivePage) -> None:
    answer = page.get("/")
    assert answer.status == 200
    policy = answer.getheader("content-security-policy") or ""
    nonce = re.search(r"'nonce-([\w-]+)'", policy)
    assert nonce is not None
    assert "'unsafe-inline'" not in policy.split("style-src")[0]
    body = answer.body.decode()  # type: ignore[attr-defined]
    scripts = re.findall(r"<script[^>]*>", body)
    assert len(scripts) > 4
    assert all(f'nonce="{nonce[1]}"' in script for script in scripts)
    again = page.get("/").getheader("content-security-policy") or ""
    assert nonce[1] not in again
    for path in ("/static/app.js", "/no/such/page", "/history/x.csv"):
        assert "frame-ancestors 'none'" in (page.get(path).getheader("content-security-policy") or "")


def test_the_policy_allows_this_and_nothing_else(page: LivePage) -> None:
    """`unsafe-eval` and inline styles are what NiceGUI needs; decision 0085 says what stands before them."""
    answer = page.get("/")
    given = (answer.getheader("content-security-policy") or "").split("; ")
    assert {name: rest for name, _, rest in (part.partition(" ") for part in given)} == {
        "default-src": "'none'",
        "script-src": given[1].partition(" ")[2],
        "script-src-attr": "'none'",
        "object-src": "'none'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "manifest-src": "'self'",
        "worker-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert re.fullmatch(r"script-src 'self' 'nonce-[\w-]{24}' 'unsafe-eval'", given[1])
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert answer.getheader("x-frame-options") == "DENY"
    assert answer.getheader("referrer-policy") == "same-origin"
    allowed = (answer.getheader("permissions-policy") or "").split(", ")
    assert {"camera=()", "microphone=()", "bluetooth=()", "serial=()"} <= set(allowed)
    assert all(one.endswith("=()") for one in allowed)


def test_nothing_is_fetched_from_elsewhere(page: LivePage) -> None:
    body = page.get("/").body.decode()  # type: ignore[attr-defined]
    links = re.findall(r"""(?:src|href)=["'](https?:)?//[^"']+""", body)
    assert links == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "http://evil.example"}, 403),
        ({"Content_Length": "999999999"}, 413),
        ({"Content_Length": "ten"}, 400),
        ({"Transfer_Encoding": "chunked"}, 413),
    ],
)
def test_what_is_not_the_page_is_refused(page: LivePage, headers: dict[str, str], status: int) -> None:
    assert page.get("/", **headers).status == status


def test_long_polling_does_not_pass_by_the_limits(page: LivePage) -> None:
    assert page.get("/_nicegui_ws/socket.io/?EIO=4&transport=polling").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/history/..%2f..%2fetc%2fpasswd.csv",
        "/history/x.csv",
        "/artwork/a/..%2f..%2fetc%2fpasswd",
        "/static/../guard.py",
    ],
)
def test_no_path_leads_out(page: LivePage, path: str) -> None:
    answer = page.get(path)
    assert answer.status == 404
    assert b"root:" not in answer.body  # type: ignore[attr-defined]


def test_a_forwarded_prefix_does_not_reach_the_page(page: LivePage) -> None:
    body = page.get("/", X_Forwarded_Prefix="/evil").body.decode()  # type: ignore[attr-defined]
    assert "/evil" not in body


@pytest.fixture(scope="module")
def open_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePage]:
    """The page on every interface: it asks for a token."""
    with live_page(tmp_path_factory.mktemp("open"), host=EVERYWHERE) as found:
        yield found


def test_beyond_loopback_a_token_is_asked_for_and_said(open_page: LivePage) -> None:
    token = (open_page.folder / "state" / "web-token").read_text().strip()
    eventually(lambda: f"?token={token}" in open_page.said.read_text())
    refused = open_page.get("/")
    assert refused.status == 401
    assert b"neuro.start" not in refused.body  # type: ignore[attr-defined]
    assert open_page.get("/static/app.js").status == 401
    assert open_page.get("/?token=" + "0" * 32).status == 401
    assert open_page.get("/", Cookie=f"{COOKIE}={'0' * 32}").status == 401
    let_in = open_page.get(f"/?token={token}")
    assert let_in.status == 200
    assert b'content="0;url=/"' in let_in.body  # type: ignore[attr-defined]
    assert token.encode() not in let_in.body  # type: ignore[attr-defined]
    assert let_in.getheader("cache-control") == "no-store"
    cookie = let_in.getheader("set-cookie") or ""
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    page = open_page.get("/", Cookie=cookie.split(";")[0])
    assert page.status == 200
    assert token.encode() not in page.body  # type: ignore[attr-defined]


def test_the_form_lets_in_who_types_the_token(open_page: LivePage) -> None:
    token = (open_page.folder / "state" / "web-token").read_text().strip()
    form = {"Content_Type": "application/x-www-form-urlencoded", "Origin": open_page.url}
    assert open_page.get("/token", "POST", "token=wrong", **form).status == 401
    assert open_page.get("/token", "POST", f"token={token}", **form).status == 303
    other = form | {"Origin": "http://evil.example"}
    assert open_page.get("/token", "POST", f"token={token}", **other).status == 403
    # under "no-referrer" a browser would send the form with the origin "null", which is refused
    assert open_page.get("/").getheader("referrer-policy") == "same-origin"


def test_the_eeg_is_only_for_a_browser_on_this_machine(page: LivePage) -> None:
    here = page.get("/fit").body.decode()  # type: ignore[attr-defined]
    assert "eeg-chart" in here
    through_a_proxy = page.get("/fit", X_Forwarded_For="10.0.0.7").body.decode()  # type: ignore[attr-defined]
    assert "eeg-chart" not in through_a_proxy
    assert "shown only on the machine" in through_a_proxy


def test_an_address_that_is_taken_is_refused_in_one_line(
    page: LivePage, capsys: pytest.CaptureFixture[str]
) -> None:
    from daemon.cli import main

    assert main(["web", "--web", f"127.0.0.1:{page.port}"]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert str(page.port) in said[0]
