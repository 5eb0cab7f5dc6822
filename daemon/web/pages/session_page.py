"""The session page: where you are, what plays and why, and how to steer it."""

from __future__ import annotations

import math
from typing import Any

from nicegui import ui

from daemon import messages
from daemon.web.charts.plane_chart import plane_options, plane_series
from daemon.web.frame import frame
from daemon.web.mood_view import MoodView
from daemon.web.music_view import STEERED, MusicView
from daemon.web.pages.feel_card import feel_card
from daemon.web.pages.music_card import music_card
from daemon.web.safe_text import clock_time
from daemon.web.viewer import Viewer, attribute, button, named, swap_class, tag, words
from player.targets import NAMED_TARGETS

POLICIES = ("match", "lead", "contrast", "maintain", "manual")
NAMED = {name: (mood.valence or 0.0, mood.arousal) for name, mood in NAMED_TARGETS.items()}
LEGEND = ("you", "unsure", "music", "next", "target")


def session_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.hub.texts
    with frame(viewer, "session"):
        words("h1", "visually-hidden", texts("nav.session"))
        with tag("div", "session"):
            with tag("section", "card area-mood"):
                _mood_card(viewer)
            with tag("section", "card area-plane"):
                _plane_card(viewer)
            with tag("section", "card area-music"):
                music_card(viewer)
            with tag("section", "card area-feel"):
                feel_card(viewer)


def _mood_card(viewer: Viewer) -> None:
    texts = viewer.hub.texts
    words("h2", "card-title", texts("mood.heading"))
    with named(tag("div", "mood-head"), aria_live="polite") as head:
        headline = words("p", "mood-headline", "")
        detail = words("p", "muted", "")
    with tag("div", "mood-foot"):
        with tag("div", "row-line between small"):
            what = words("span", "muted", texts("mood.confidence"))
            sure = words("span", "numeric", "")
        with named(tag("div", "meter"), role="progressbar", aria_valuemin="0", aria_valuemax="100") as meter:
            bar = tag("div")
        foot = words("p", "muted small", "")

    def show() -> None:
        mood = viewer.hub.views()[0]
        resting = mood.rest_share is not None
        share = mood.rest_share if mood.rest_share is not None else mood.confidence
        swap_class(head, not mood.known, "unknown")
        headline.text, detail.text = mood.headline, mood.detail
        what.text = texts("mood.rest_progress" if resting else "mood.confidence")
        sure.text = _sure_words(mood, viewer)
        _width(bar, share)
        attribute(meter, "aria-valuenow", str(round(100 * share)))
        attribute(meter, "aria-label", what.text)
        foot.text = _foot(mood, viewer)

    viewer.each_tick(show)


def _sure_words(mood: MoodView, viewer: Viewer) -> str:
    texts = viewer.hub.texts
    if mood.rest_share is not None:
        return f"{round(100 * mood.rest_share)} %"
    if not mood.known:
        return texts("mood.no_confidence")
    return texts("mood.confidence_value", percent=round(100 * mood.confidence), word=mood.sureness)


def _foot(mood: MoodView, viewer: Viewer) -> str:
    texts = viewer.hub.texts
    if mood.known:
        since = texts("mood.since", time=clock_time(mood.since_s))
        return f"{since} · {texts('mood.model', model=mood.model)}"
    if mood.last is not None:
        return texts("mood.last_known", time=clock_time(viewer.hub.state.clock() - mood.last.at_s))
    return ""


def _width(bar: Any, share: float) -> None:
    width = f"{100 * max(0.0, min(1.0, share)):.1f}%"
    if bar.style.get("width") != width:
        bar.style(f"width:{width}")


def _plane_card(viewer: Viewer) -> None:
    hub, texts = viewer.hub, viewer.hub.texts
    words("h2", "card-title", texts("plane.heading"))
    mood, music, _ = hub.views()
    options = plane_options(mood, music, hub.state.clock(), NAMED, viewer.colours, texts)
    chart = ui.echart(options).classes("plane-chart")
    named(chart, tabindex="0", role="application", aria_label=texts("plane.label"))
    described = named(words("p", "visually-hidden", ""), id="plane-described")
    named(chart, aria_describedby="plane-described")
    _legend(viewer)
    _steering(viewer)
    drawn: list[object] = [None]

    def show() -> None:
        mood, music, _ = hub.views()
        described.text = _described(mood, music, viewer)
        picture = _seen(mood, music, viewer)
        if picture != drawn[0]:
            drawn[0] = picture
            series = plane_series(mood, music, hub.state.clock(), NAMED, viewer.colours, texts)
            chart.run_chart_method("setOption", {"series": [one for one in series if one["id"] in _MOVING]})

    def redraw() -> None:
        mood, music, _ = hub.views()
        chart.options.update(plane_options(mood, music, hub.state.clock(), NAMED, viewer.colours, texts))
        chart.update()

    viewer.on_theme(redraw)
    ui.on("neuro_target", lambda event: _touched(viewer, event))
    ui.run_javascript(f"neuro.plane({chart.id})")
    viewer.each_tick(show)


def _legend(viewer: Viewer) -> None:
    with named(tag("div", "legend"), aria_hidden="true"):
        for name in LEGEND:
            with tag("span", f"key {name}"):
                tag("i")
                words("span", "", viewer.hub.texts(f"plane.{name}"))


def _seen(mood: MoodView, music: MusicView, viewer: Viewer) -> object:
    """Everything the plane draws: while it stays the same, nothing is sent to the browser."""
    you = (mood.known, mood.arousal, mood.valence, mood.spread_arousal, len(mood.trail), mood.last)
    heard = (music.track, music.next, music.target_arousal, music.target_valence)
    return (you, heard, viewer.dark, int(viewer.hub.state.clock() / 5))


_MOVING = frozenset({"veil", "uncertainty", "trail", "music", "target", "you"})


def _described(mood: MoodView, music: MusicView, viewer: Viewer) -> str:
    texts = viewer.hub.texts
    target = music.target or texts("plane.no_target")
    if not mood.known:
        return texts("plane.described_unknown", target=target)
    valence = texts("plane.value_unknown") if mood.valence is None else f"{mood.valence:+.1f}"
    return texts("plane.described", arousal=f"{mood.arousal:+.1f}", valence=valence, target=target)


def _touched(viewer: Viewer, event: Any) -> None:
    """The plane was touched at a point: that is the new target."""
    told = event.args if isinstance(event.args, dict) else {}
    point = [told.get("valence"), told.get("arousal")]
    if not all(isinstance(v, int | float) and math.isfinite(v) and -1 <= v <= 1 for v in point):
        return
    valence, arousal = float(point[0] or 0.0), float(point[1] or 0.0)
    name = viewer.hub.texts("target.point", arousal=f"{arousal:+.1f}", valence=f"{valence:+.1f}")
    _set_target(viewer, messages.TargetCommand(valence=valence, arousal=arousal), name)


def _set_target(viewer: Viewer, command: messages.TargetCommand, name: str) -> None:
    """Under a policy that goes by no target, a target also chooses the one that leads there."""
    texts = viewer.hub.texts
    leads = viewer.hub.views()[1].policy not in STEERED
    said = texts("target.set" if leads else "target.set_plain", name=name)
    if viewer.send("target", command, said) and leads:
        viewer.hub.send("policy", messages.PolicyCommand(policy="lead"))


def _steering(viewer: Viewer) -> None:
    texts = viewer.hub.texts
    with tag("div", "steer"):
        with tag("div", "steer-part"):
            words("h3", "card-title", texts("target.heading"))
            words("p", "muted small", texts("plane.hint"))
            targets = {}
            with tag("div", "chips"):
                for name in NAMED:
                    targets[name] = button(
                        texts(f"target.{name}"), _target_setter(viewer, name), classes="small-btn"
                    )
                clear = button(
                    texts("target.clear"),
                    lambda: viewer.send("target", messages.TargetCommand(), texts("target.cleared")),
                    classes="small-btn plain",
                )
        with tag("div", "steer-part"):
            words("h3", "card-title", texts("policy.heading"))
            policies = {}
            with named(tag("div", "choices wide"), role="group", aria_label=texts("policy.heading")):
                for policy in POLICIES:
                    policies[policy] = button(texts(f"policy.{policy}"), _policy_setter(viewer, policy))
            hint = words("p", "muted small", "")

    def show() -> None:
        music = viewer.hub.views()[1]
        for name, chip in targets.items():
            _pressed(chip, music.target == name)
        for policy, choice in policies.items():
            _pressed(choice, music.present and music.policy == policy)
        hint.text = texts(f"policy.{music.policy}_hint")
        clear.set_visibility(music.target is not None)

    viewer.each_tick(show)


def _pressed(choice: ui.button, on: bool) -> None:
    swap_class(choice, on, "on")
    attribute(choice, "aria-pressed", "true" if on else "false")


def _target_setter(viewer: Viewer, name: str) -> Any:
    return lambda: _set_target(viewer, messages.TargetCommand(name=name), viewer.hub.texts(f"target.{name}"))


def _policy_setter(viewer: Viewer, policy: Any) -> Any:
    return lambda: viewer.send("policy", messages.PolicyCommand(policy=policy))
