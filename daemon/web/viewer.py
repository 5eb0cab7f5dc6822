"""One open page: its theme, its rate, whether it sits on this machine, and how it sends commands."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from nicegui import Client, ui
from nicegui.element import Element

from daemon.mqtt import commands
from daemon.rate_limit import Bucket
from daemon.web.hub import Hub, Views
from daemon.web.palette import Palette, palette
from daemon.web.security.access import is_loopback
from daemon.web.texts import texts as texts_in
from daemon.web.texts.languages import COOKIE as LANGUAGE_COOKIE
from daemon.web.texts.languages import language_of

ElementT = TypeVar("ElementT", bound=Element)
THEME_COOKIE = "neuroplayer_dark"
MODES = ("auto", "light", "dark")
TICK_S = 0.5


class Viewer:
    """What a page's elements need of the world around them."""

    def __init__(self, hub: Hub, client: Client) -> None:
        self.hub, self.client = hub, client
        request = client.request
        accepted = request.headers.get("accept-language", "")
        self.language = language_of(request.cookies.get(LANGUAGE_COOKIE), accepted)
        self.texts = texts_in(self.language)
        self.dark = request.cookies.get(THEME_COOKIE) == "1"
        self.mode = "auto"
        forwarded = bool(getattr(request.state, "forwarded", False))
        self.on_this_machine = is_loopback(client.ip) and not forwarded
        self.offer: Callable[[str, Callable[[], object]], None] = lambda text, _undo: self.notify(text)
        """Say what was done with a way back; the frame brings the bar for it."""
        self._bucket = Bucket(12, 4, time.monotonic)
        self._themed: list[Callable[[], None]] = []
        self._acts: list[Callable[[], Any]] = []

    @property
    def colours(self) -> Palette:
        """The palette of the theme the browser shows."""
        return palette(self.dark)

    def views(self) -> Views:
        """Mood, music and what is wrong, in the viewer's words."""
        return self.hub.views(self.texts)

    def on_theme(self, redraw: Callable[[], None]) -> None:
        """Call ``redraw`` when the theme has changed."""
        self._themed.append(redraw)

    def set_theme(self, event: Any) -> None:
        """The browser says which theme it shows."""
        told = event.args if isinstance(event.args, dict) else {}
        mode = told.get("mode")
        self.mode = mode if mode in MODES else "auto"
        dark = told.get("dark") is True
        changed, self.dark = dark != self.dark, dark
        if changed:
            for redraw in self._themed:
                redraw()

    def send(self, name: str, command: commands.Command, said: str | None = None) -> bool:
        """Send a command and say so; tell the person when it could not be sent."""
        texts = self.texts
        if not self._bucket.allow():
            self.notify(texts("app.slow_down"))
            return False
        if not self.hub.send(name, command):
            self.notify(texts("app.sent_failed"))
            return False
        if said:
            self.notify(said)
        return True

    def notify(self, text: str) -> None:
        """A short word at the foot of the page, read out by screen readers."""
        if not self.client.is_deleted:
            with self.client:
                ui.notify(text, position="bottom", timeout=2500, attrs={"role": "status"})

    def each_tick(self, act: Callable[[], Any]) -> None:
        """Call ``act`` now, and twice a second while the page is open: one timer for the whole page."""
        act()
        if not self._acts:
            ui.timer(TICK_S, self._tick, immediate=False)
        self._acts.append(act)

    def _tick(self) -> None:
        for act in self._acts:
            act()


def named(element: ElementT, **attributes: str | bool) -> ElementT:
    """Set HTML attributes by value, never by parsing: ``aria_label`` becomes ``aria-label``."""
    for name, value in attributes.items():
        element.props[name.replace("_", "-")] = value
    element.update()
    return element


def attribute(element: Element, name: str, value: str) -> None:
    """Set one attribute if it changed."""
    if element.props.get(name) != value:
        element.props[name] = value
        element.update()


def swap_class(element: Element, on: bool, name: str) -> None:
    """Have a class or not, and tell the browser only when that changed."""
    if (name in element.classes) != on:
        element.classes(**({"add": name} if on else {"remove": name}))


def fill(bar: Element, share: float) -> None:
    """Fill a meter so far, and tell the browser only when that changed."""
    width = f"{100 * max(0.0, min(1.0, share)):.1f}%"
    if bar.style.get("width") != width:
        bar.style(f"width:{width}")


def button(text: str, act: Callable[..., Any], *, classes: str = "", icon: str | None = None) -> ui.button:
    """A button in the page's own colours."""
    return (
        ui.button(text, on_click=act, color=None, icon=icon).props("flat no-caps").classes(f"btn {classes}")
    )


def icon_button(icon: str, label: str, act: Callable[..., Any], *, classes: str = "") -> ui.button:
    """A round button that shows a symbol and is called ``label``."""
    made = ui.button(icon=icon, on_click=act, color=None).props("flat").classes(f"btn round {classes}")
    named(made, aria_label=label, title=label)
    return made


def tag(name: str, classes: str = "") -> Element:
    """A plain HTML element."""
    return ui.element(name).classes(classes)


def words(name: str, classes: str, text: str) -> ui.label:
    """A plain HTML element that holds text: whatever it says, it stays text."""
    made = ui.label(text).classes(classes)
    made.tag = name
    return made


__all__ = [
    "Viewer",
    "attribute",
    "button",
    "fill",
    "icon_button",
    "named",
    "script_json",
    "swap_class",
    "tag",
    "words",
]


def script_json(value: object) -> str:
    """JSON that may stand in a script: ``<`` and the two line ends that JavaScript knows are escaped."""
    text = msgspec.json.encode(value).decode()
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def ask(
    viewer: Viewer,
    question: str,
    act: Callable[[], Awaitable[None]],
    answers: tuple[str, str] = ("ask.yes", "ask.no"),
) -> None:
    """Open a dialog; ``act`` follows only on a clear yes. ``answers``: the texts for yes and no."""
    texts = viewer.texts
    with ui.dialog() as dialog, tag("div", "card asking"):
        words("p", "", question)

        async def yes() -> None:
            dialog.close()
            await act()

        with tag("div", "row-line").style("margin-top:16px;justify-content:flex-end"):
            button(texts(answers[1]), dialog.close)
            button(texts(answers[0]), yes, classes="danger")
    named(dialog, aria_label=question)
    dialog.on("hide", dialog.delete)
    dialog.open()
