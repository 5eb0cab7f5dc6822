"""``--open``: the page in the person's browser, once, without its token in anybody's list of processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from daemon.cli import main
from daemon.settings import WebSettings
from daemon.web.page_opening import open_page
from daemon.web.security.access import own_token
from support.browser.own_browser import Browser
from support.free_ports import a_free_port
from support.waiting import until

EVERYWHERE = "0.0.0.0"  # noqa: S104 - that is the case in question


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Browser:
    return Browser(tmp_path, monkeypatch, getattr(request, "param", ""))


@contextlib.asynccontextmanager
async def opening(host: str, folder: Path, said: list[str]) -> AsyncIterator[asyncio.Task[None]]:
    """``open_page`` for something that answers."""
    web = WebSettings(host=host, port=a_free_port())
    task = asyncio.create_task(open_page(web, folder, said.append))
    await asyncio.sleep(0.3)
    assert not task.done(), "it waits until the page answers"
    async with await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", web.port):
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_a_page_with_a_token_is_opened_by_a_file_of_the_user_alone(
    tmp_path: Path, browser: Browser
) -> None:
    async with opening(EVERYWHERE, tmp_path, []):
        await until(lambda: bool(browser.told), "the browser was started")
        ((_, address),) = browser.told
        token = own_token(tmp_path)
        assert token not in address
        lead = Path(unquote(urlsplit(address).path))
        assert _mode(lead) == 0o600
        text = lead.read_text()  # noqa: ASYNC240 - nothing else waits meanwhile
        assert "url=http://127.0.0.1:" in text
        assert f"/?token={token}" in text
    assert _mode(lead) is None, "it does not stay"


def _mode(path: Path) -> int | None:
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


@pytest.mark.parametrize("browser", ["time.sleep(600)"], indirect=True)
async def test_a_browser_that_holds_up_its_starter_holds_up_nobody_else(
    tmp_path: Path, browser: Browser
) -> None:
    async with opening("127.0.0.1", tmp_path, []) as task:
        await until(lambda: bool(browser.told), "the browser was started")
        assert not task.done()
    ((process, _),) = browser.told
    os.kill(process, signal.SIGKILL)  # it is the person's: the end of the page leaves it open


@pytest.mark.parametrize("browser", ["sys.exit(1)"], indirect=True)
async def test_without_a_browser_it_is_said_and_nothing_else_happens(
    tmp_path: Path, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DISPLAY", raising=False)
    said: list[str] = []
    async with opening("127.0.0.1", tmp_path, said):
        await until(lambda: said == ["no browser could be opened: open the page's address yourself"])


def test_no_page_cannot_be_opened(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--no-web", "--open"]) == 2
    assert capsys.readouterr().err == "neuroplayer: --open needs the page that --no-web leaves out\n"
