"""Who wears the headset: another wearer, known, new or a guest, gets a session of their own."""

from __future__ import annotations

from functools import partial

from nicegui import ui

from daemon.mqtt import commands, documents, topics
from daemon.safe_text import shown
from daemon.settings import GUEST
from daemon.wearers.wearer import WearerError, checked_wearer
from daemon.web.viewer import Viewer, ask, button, named, tag, words

MAX_NAME = 64


def wearer_card(viewer: Viewer) -> None:
    """Build the card, which is there while somebody says whose session it is."""
    texts = viewer.texts
    with tag("section", "card") as card:
        words("h2", "card-title", texts("wearer.heading"))
        now = named(words("p", "big-word wrap-anywhere", ""), aria_live="polite")
        words("p", "muted small", texts("wearer.hint"))
        others = tag("div", "row-line").style("margin-top:12px;flex-wrap:wrap")
        with tag("div", "row-line").style("margin-top:12px"):
            name = ui.input(label=texts("wearer.new")).props(f"maxlength={MAX_NAME} outlined dense")
            named(name, aria_label=texts("wearer.new"))
            button(texts("wearer.begin"), lambda: _new(viewer, str(name.value or "")), classes="small-btn")
    drawn: list[object] = [None]

    def show() -> None:
        said = viewer.hub.state.newest(documents.SessionWearer, topics.WEARER)
        card.set_visibility(said is not None)
        if said is None or (said.wearer, said.known) == drawn[0]:
            return
        drawn[0] = (said.wearer, said.known)
        now.text = _called(viewer, said.wearer)
        others.clear()
        with others:
            for one in (*(known for known in said.known if known != said.wearer), GUEST):
                button(_called(viewer, one), partial(_choose, viewer, one), classes="small-btn")

    viewer.each_tick(show)


def _called(viewer: Viewer, wearer: str) -> str:
    return viewer.texts("wearer.guest") if wearer == GUEST else shown(wearer, MAX_NAME)


def _new(viewer: Viewer, written: str) -> None:
    try:
        name = checked_wearer(written.strip().lower())
    except WearerError:
        viewer.notify(viewer.texts("wearer.rule"))
        return
    _choose(viewer, name)


def _choose(viewer: Viewer, wearer: str) -> None:
    """Asked first: the session that runs ends, and with it its recording."""
    texts = viewer.texts

    async def yes() -> None:
        viewer.send("wearer", commands.WearerCommand(wearer=wearer), texts("wearer.asked"))

    ask(viewer, texts("wearer.question", name=_called(viewer, wearer)), yes, ("wearer.yes", "wearer.no"))
