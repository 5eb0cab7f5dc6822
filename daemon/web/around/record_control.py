"""The switch that records a session: never without a person who agrees, and off at one touch."""

from __future__ import annotations

from datetime import datetime

from nicegui import ui

from acquisition.recording.consent import SCOPE
from daemon.mqtt import commands
from daemon.safe_text import persons_word
from daemon.web.viewer import Viewer, button, named, tag, words

MAX_NAME = 100


def record_control(viewer: Viewer) -> None:
    """Build the switch with its question."""
    texts = viewer.texts
    words("h2", "card-title", texts("record.heading"))
    words("p", "muted small", texts("record.intro"))
    with tag("div", "row-line").style("margin-top:12px"):
        start = button(texts("record.start"), lambda: ask_consent(viewer), classes="primary")
        stop = button(texts("record.stop"), lambda: stop_recording(viewer), classes="danger")

    def show() -> None:
        recording = viewer.hub.recording()
        start.set_visibility(not recording)
        stop.set_visibility(recording)

    viewer.each_tick(show)


def stop_recording(viewer: Viewer) -> None:
    """Have the engine close the file."""
    viewer.send("record", commands.RecordCommand(action="stop"), viewer.texts("record.ended"))


def ask_consent(viewer: Viewer) -> None:
    """Who agrees, to what, when; the recording begins only on a clear yes with a name."""
    texts = viewer.texts
    if not viewer.hub.state.online.get("engine", True):
        viewer.notify(texts("record.not_now"))
        return
    consent = texts("record.consent", scope=", ".join(SCOPE))
    with ui.dialog() as dialog, tag("div", "card asking"):
        words("h2", "card-title", texts("record.dialog"))
        words("p", "", consent)
        words(
            "p",
            "muted small",
            texts("record.when", date=datetime.now().astimezone().strftime(texts("app.date"))),
        )
        name = ui.input(label=texts("record.who")).props(f"maxlength={MAX_NAME} outlined")
        named(name, aria_label=texts("record.who")).style("width:100%;margin-top:12px")

        def agree() -> None:
            who = persons_word(str(name.value or ""))[:MAX_NAME]
            if not who:
                viewer.notify(texts("record.nobody"))
                return
            command = commands.RecordCommand(action="start", who=who, consent=consent)
            if viewer.send("record", command, texts("record.asked")):
                dialog.close()

        with tag("div", "row-line").style("margin-top:16px;justify-content:flex-end"):
            button(texts("record.cancel"), dialog.close)
            button(texts("record.agree"), agree, classes="primary")
    named(dialog, aria_label=texts("record.dialog"))
    dialog.on("hide", dialog.delete)
    dialog.open()
