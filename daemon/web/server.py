"""The web server: NiceGUI's pages inside the guard, served by uvicorn on the role's own loop."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any, cast

import uvicorn
from fastapi import FastAPI, Response
from nicegui import Client, app, ui
from starlette.middleware.gzip import GZipMiddleware

from daemon.web.hub import Hub
from daemon.web.pages.calibrate_page import calibrate_page
from daemon.web.pages.fit_page import fit_page
from daemon.web.pages.frame import shared_head
from daemon.web.pages.history_page import history_page
from daemon.web.pages.library_page import library_page
from daemon.web.pages.session_page import session_page
from daemon.web.pages.stage_page import stage_page
from daemon.web.security.connections import patient_protocol
from daemon.web.security.guard import AsgiApp, Guard
from daemon.web.state.session_log import read_session, session_names
from daemon.web.viewer import Viewer
from daemon.web.views.history_view import as_csv

RECONNECT_S = 15.0
CLOSING_S = 2.0
MAX_PAGES = 150
NO_CACHE = {"cache-control": "no-cache"}
BUILDING_S = 30.0
"""A long history or library on a busy machine; what takes longer is answered with an error."""
PAGES: dict[str, Callable[[Viewer], Any]] = {
    "/": session_page,
    "/fit": fit_page,
    "/history": history_page,
    "/calibrate": calibrate_page,
    "/library": library_page,
    "/stage": stage_page,
}


class Server(uvicorn.Server):
    """Uvicorn without its signal handlers: the role ends it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM and SIGINT to the role."""
        yield


def build(hub: Hub, token: str | None, token_file: Path) -> AsgiApp:
    """The whole application. To be called once a process: NiceGUI keeps its pages in the process."""
    outer = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    static = Path(str(resources.files("daemon.web") / "static"))
    app.add_static_files("/static", static, max_cache_age=60)
    app.config.socket_io_js_transports = ["websocket"]
    shared_head(hub.texts)
    for path, build_page in PAGES.items():
        _add_page(path, build_page, hub)
    _add_downloads(hub)
    ui.run_with(
        outer,
        title=hub.texts("app.name"),
        favicon=static / "favicon.svg",
        dark=None,
        language="en-US",
        binding_refresh_interval=None,
        reconnect_timeout=RECONNECT_S,
        message_history_length=100,
        gzip_middleware_factory=None,
        tailwind=False,
        show_welcome_message=False,
    )
    guard = Guard(cast(AsgiApp, outer), hub.texts, token, str(token_file), time.monotonic)
    return cast(AsgiApp, GZipMiddleware(cast(Any, guard), minimum_size=1000, compresslevel=5))


def open_pages() -> int:
    """How many pages are open in browsers."""
    return len(Client.instances)


def _add_page(path: str, build_page: Callable[[Viewer], Any], hub: Hub) -> None:
    @ui.page(path, response_timeout=BUILDING_S)
    async def page(client: Client) -> Response | None:
        if open_pages() > MAX_PAGES:
            return Response(hub.texts("error.too_many_viewers"), status_code=503)
        building = build_page(Viewer(hub, client))
        if building is not None:
            await building
        return None


def _static(name: str) -> str:
    return (resources.files("daemon.web") / "static" / name).read_text(encoding="utf-8")


def _add_downloads(hub: Hub) -> None:
    @app.get("/history/{name}.csv")
    def table(name: str) -> Response:
        if name not in session_names(hub.log.folder):
            return Response(hub.texts("app.not_found"), status_code=404)
        text = as_csv(read_session(hub.log.folder, name))
        headers = {"content-disposition": f'attachment; filename="neuroplayer-{name}.csv"'}
        return Response(text, media_type="text/csv; charset=utf-8", headers=headers)

    @app.get("/offline.js")
    def offline() -> Response:
        # from the root, for a worker looks after what lies beneath it
        return Response(_static("offline.js"), media_type="text/javascript", headers=NO_CACHE)

    @app.get("/artwork/{track_id}")
    async def artwork(track_id: str) -> Response:
        picture = await hub.artwork.picture(track_id)
        if picture is None:
            return Response(status_code=204)
        return Response(picture, media_type="image/jpeg", headers={"cache-control": "private, max-age=86400"})


async def serve(application: AsgiApp, host: str, port: int) -> None:
    """Serve until cancelled. Raises ``OSError`` when the address cannot be used."""
    config = uvicorn.Config(
        cast(Any, application),
        host=host.strip("[]"),
        port=port,
        http=patient_protocol(),
        log_config=None,  # its lines go where ours do
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        lifespan="on",
        ws_max_size=64 * 1024,
        ws_max_queue=16,
        limit_concurrency=400,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    try:
        await asyncio.shield(serving)
    finally:
        # a cancelled server would leave its connections open: it is asked to end instead
        server.should_exit = True
        await asyncio.wait({serving}, timeout=CLOSING_S)
