"""The question before anything that cannot be undone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from daemon.web.viewer import Viewer, button, named, tag, words


def ask(viewer: Viewer, question: str, act: Callable[[], Awaitable[None]]) -> None:
    """Open a dialog; ``act`` follows only on a clear yes."""
    texts = viewer.hub.texts
    with ui.dialog() as dialog, tag("div", "card asking"):
        words("p", "", question)

        async def yes() -> None:
            dialog.close()
            await act()

        with tag("div", "row-line").style("margin-top:16px;justify-content:flex-end"):
            button(texts("ask.no"), dialog.close)
            button(texts("ask.yes"), yes, classes="danger")
    named(dialog, aria_label=question)
    dialog.on("hide", dialog.delete)
    dialog.open()
