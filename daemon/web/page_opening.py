"""Opens the page in the person's own browser once it answers: only if asked for, and never in the way."""

from __future__ import annotations

import asyncio
import contextlib
import html
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from daemon.settings import WebSettings
from daemon.web.security.access import is_loopback, page_address

LOOK_S = 0.25
KEPT_S = 60.0
"""So long the file that leads to the page stays, for a browser that starts slowly."""
FILE = "open-page.html"
OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.stdin.readline().strip()))"
"""In a process of its own: some browsers hold up whoever starts them, or write into the terminal."""
LEAD = """<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0;url={address}"><title>neuroplayer</title>
<a href="{address}">neuroplayer</a>
"""

Notify = Callable[[str], None]


async def open_page(web: WebSettings, state_dir: Path, notify: Notify) -> None:
    """Wait until the page answers and have it opened. To be cancelled at the end; raises nothing else."""
    while not await _answers(web):  # noqa: ASYNC110 - it is another process that begins to answer
        await asyncio.sleep(LOOK_S)
    try:
        with _lead(web, state_dir) as address:
            if not await _opened(address):
                notify("no browser could be opened: open the page's address yourself")
            await asyncio.sleep(KEPT_S)
    except OSError as error:
        notify(f"the page was not opened in a browser: {error.strerror or error}")


def here(web: WebSettings) -> str:
    """The host by which this very machine reaches the page."""
    bare = web.host.strip("[]")
    return {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(bare, bare)  # noqa: S104 - compared


async def _answers(web: WebSettings) -> bool:
    try:
        _, writer = await asyncio.open_connection(here(web), web.port)
    except OSError:
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True


@contextlib.contextmanager
def _lead(web: WebSettings, state_dir: Path) -> Iterator[str]:
    """What the browser is told to open. Raises ``OSError``.

    A browser is given it as an argument, which every user of the machine can read. So where the address has
    the token, it stands in a file for the user alone, and the browser is given the file.
    """
    address = page_address(here(web), web.port, state_dir, token=not is_loopback(web.host))
    if is_loopback(web.host):
        yield address
        return
    path = state_dir / FILE
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(LEAD.format(address=html.escape(address)))
        yield path.resolve().as_uri()
    finally:
        path.unlink(missing_ok=True)


async def _opened(address: str) -> bool:
    """Whether a browser was found. One that holds up its starter is let go of when this is cancelled."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", OPEN),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await process.communicate(f"{address}\n".encode())
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return process.returncode == 0
