"""A page with nothing around it: its title, its theme and language, and the one landmark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

from daemon.web.viewer import Viewer, named, script_json, tag


@contextmanager
def bare(viewer: Viewer, page: str, classes: str = "page") -> Iterator[None]:
    """Everything inside becomes the content of the page, in its ``main``."""
    begin(viewer, page)
    with named(tag("main", classes), id="content", tabindex="-1"):
        yield
    start(viewer)


def begin(viewer: Viewer, page: str) -> None:
    """What comes before any element."""
    ui.page_title(viewer.texts("app.title", page=viewer.texts(f"nav.{page}")))
    ui.on("neuro_theme", viewer.set_theme)
    # Quasar wraps everything in a landmark "main": only the page's own may be one
    slot = viewer.client.content.parent_slot
    if slot is not None:
        slot.parent.tag = "div"


def start(viewer: Viewer) -> None:
    """What the browser does once all is there."""
    lost = viewer.texts("app.lost", seconds="{seconds}")
    ui.run_javascript(f"neuro.start({script_json(viewer.language)}, {script_json(lost)})")
