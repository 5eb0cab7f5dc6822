"""What is around every page: navigation, marks at the top, the banner for what is wrong."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from nicegui import ui

from daemon.web.around.bare import begin, start
from daemon.web.around.mini_player import mini_player
from daemon.web.around.notices import notices
from daemon.web.around.record_control import stop_recording
from daemon.web.around.undo_bar import UndoBar
from daemon.web.palette import DARK, LIGHT, css_variables
from daemon.web.texts import Texts
from daemon.web.texts.languages import LANGUAGES
from daemon.web.viewer import Viewer, attribute, icon_button, named, tag, words
from daemon.web.views.health_view import replayed, simulated

PAGES = (
    ("session", "/", "graphic_eq"),
    ("fit", "/fit", "sensors"),
    ("history", "/history", "timeline"),
    ("calibrate", "/calibrate", "tune"),
    ("library", "/library", "library_music"),
)
THEME_ICONS = {"auto": "brightness_auto", "light": "light_mode", "dark": "dark_mode"}


def shared_head(texts: Texts) -> None:
    """Style sheet and script of every page, served from the wheel."""
    ui.add_head_html(
        f"<style>{css_variables()}</style>"
        '<link rel="stylesheet" href="/static/app.css"><script src="/static/app.js" defer></script>'
        '<link rel="stylesheet" href="/static/stage.css">'
        '<link rel="manifest" crossorigin="use-credentials" href="/static/app.webmanifest">'
        '<link rel="apple-touch-icon" href="/static/icon-192.png">'
        f'<meta name="theme-color" content="{LIGHT.card}" media="(prefers-color-scheme: light)">'
        f'<meta name="theme-color" content="{DARK.card}" media="(prefers-color-scheme: dark)">'
        '<script src="/static/history.js" defer></script><script src="/static/stage.js" defer></script>',
        shared=True,
    )
    lost = html.escape(texts("app.lost", seconds="{seconds}"), quote=True)
    ui.add_body_html(f'<div id="neuro-lost" role="alert" data-text="{lost}"><span></span></div>', shared=True)


@contextmanager
def frame(viewer: Viewer, page: str) -> Iterator[None]:
    """Everything inside becomes the content of the page."""
    texts = viewer.texts
    begin(viewer, page)
    named(words("a", "skip", texts("app.skip_to_content")), href="#content")
    _top(viewer, page)
    with named(tag("main", "page"), id="content", tabindex="-1"):
        notices(viewer)
        UndoBar(viewer)
        yield
        mini_player(viewer, page)
    start(viewer)


def _top(viewer: Viewer, page: str) -> None:
    texts = viewer.texts
    with tag("header", "topbar"):
        with named(tag("a", "brand"), href="/", aria_label=texts("app.name")):
            ui.html(_logo(), sanitize=False)
            words("span", "word", texts("app.name"))
        with named(tag("nav", "nav"), aria_label=texts("app.pages")):
            for name, path, icon in PAGES:
                with named(tag("a"), href=path) as link:
                    ui.icon(icon)
                    words("span", "", texts(f"nav.{name}"))
                if name == page:
                    named(link, aria_current="page")
        tag("div", "grow")
        with tag("div", "tools"):
            _recording(viewer)
            _language_choice(viewer)
            _theme_button(viewer)
        _marks(viewer)


def _logo() -> str:
    return (resources.files("daemon.web") / "static" / "favicon.svg").read_text(encoding="utf-8")


def _recording(viewer: Viewer) -> None:
    texts = viewer.texts
    rec = words("span", "chip bad rec", texts("app.recording"))
    named(rec, title=texts("app.recording_hint"), role="status")
    end = icon_button("stop", texts("record.stop"), lambda: stop_recording(viewer), classes="plain")

    def show() -> None:
        rec.set_visibility(viewer.hub.recording())
        end.set_visibility(viewer.hub.recording())

    viewer.each_tick(show)


def _marks(viewer: Viewer) -> None:
    """That nobody is behind this, or not now: never cut, whatever else stands beside them."""
    texts = viewer.texts
    with tag("div", "marks"):
        made_up = words("span", "chip fair", texts("app.simulated"))
        named(made_up, title=texts("app.simulated_hint"))
        another_time = words("span", "chip fair", texts("app.replayed"))
        named(another_time, title=texts("app.replayed_hint"))

    def show() -> None:
        made_up.set_visibility(simulated(viewer.hub.state))
        another_time.set_visibility(replayed(viewer.hub.state))

    viewer.each_tick(show)


def _language_choice(viewer: Viewer) -> None:
    """A plain select of the browser. The choice is a cookie, so that the next page comes in that language."""
    with named(tag("select", "select language"), aria_label=viewer.texts("app.language")) as select:
        for code, name in LANGUAGES.items():
            option = named(words("option", "", name), value=code, lang=code)
            if code == viewer.language:
                named(option, selected=True)
    select.on("change", js_handler="(event) => neuro.language(event.target.value)")


def _theme_button(viewer: Viewer) -> None:
    texts = viewer.texts
    toggle = ui.button(icon=THEME_ICONS["auto"], color=None).props("flat").classes("btn round plain theme")
    toggle.on("click", js_handler="() => neuro.cycleTheme()")
    named(toggle, aria_label=texts("app.theme"))

    def show(event: object = None) -> None:
        attribute(toggle, "icon", THEME_ICONS[viewer.mode])
        attribute(toggle, "aria-label", texts(f"app.theme_{viewer.mode}"))
        attribute(toggle, "title", texts(f"app.theme_{viewer.mode}"))

    ui.on("neuro_theme", show)
