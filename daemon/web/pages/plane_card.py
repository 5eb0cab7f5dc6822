"""The plane that can be touched, and the buttons that steer."""

from __future__ import annotations

import math
from typing import Any

from nicegui import ui

from daemon.mqtt import commands
from daemon.web.charts.plane_chart import plane_options, plane_series
from daemon.web.viewer import Viewer, attribute, button, named, swap_class, tag, words
from daemon.web.views.mood_view import MoodView
from daemon.web.views.music_view import MusicView, goes_by_target, policy_words
from player.choice.targets import NAMED_TARGETS, POLICIES

NAMED = {name: (mood.valence or 0.0, mood.arousal) for name, mood in NAMED_TARGETS.items()}
LEGEND = ("you", "unsure", "music", "next", "target")
MOVING = frozenset({"veil", "uncertainty", "trail", "music", "target", "you"})
FADE_S = 5
"""The trail pales so often also while nothing else moves."""


def plane_card(viewer: Viewer) -> None:
    """Build the card."""
    texts = viewer.texts
    words("h2", "card-title", texts("plane.heading"))
    plane = Plane(viewer)
    with named(tag("div", "legend"), aria_hidden="true"):
        for name in LEGEND:
            with tag("span", f"key {name}"):
                tag("i")
                words("span", "", texts(f"plane.{name}"))
    _steering(viewer)
    viewer.on_theme(plane.redraw)
    viewer.each_tick(plane.show)


class Plane:
    """The chart with its description for those who do not see it."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._drawn: object = None
        texts = viewer.texts
        self._chart = ui.echart(self._options()).classes("plane-chart")
        named(self._chart, tabindex="0", role="application", aria_label=texts("plane.label"))
        named(self._chart, aria_describedby="plane-described")
        self._described = named(words("p", "visually-hidden", ""), id="plane-described")
        ui.on("neuro_target", lambda event: _touched(viewer, event))
        ui.run_javascript(f"neuro.plane({self._chart.id})")

    def _options(self) -> dict[str, Any]:
        viewer = self._viewer
        mood, music, _ = viewer.views()
        return plane_options(mood, music, viewer.hub.state.clock(), NAMED, viewer.colours, viewer.texts)

    def redraw(self) -> None:
        """Draw everything anew, in the colours of now."""
        self._chart.options.update(self._options())
        self._chart.update()

    def show(self) -> None:
        """Move what has moved."""
        viewer, hub = self._viewer, self._viewer.hub
        mood, music, _ = viewer.views()
        self._described.text = _described(mood, music, viewer)
        where = (mood.known, mood.arousal, mood.valence, mood.spread_arousal, len(mood.trail), mood.last)
        around = (music.track, music.next, music.target_arousal, music.target_valence)
        picture = (where, around, viewer.dark, int(hub.state.clock() / FADE_S))
        if picture == self._drawn:
            return
        self._drawn = picture
        series = plane_series(mood, music, hub.state.clock(), NAMED, viewer.colours, viewer.texts)
        moving = [one for one in series if one["id"] in MOVING]
        self._chart.run_chart_method("setOption", {"series": moving})


def _described(mood: MoodView, music: MusicView, viewer: Viewer) -> str:
    texts = viewer.texts
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
    name = viewer.texts("target.point", arousal=f"{arousal:+.1f}", valence=f"{valence:+.1f}")
    _set_target(viewer, commands.TargetCommand(valence=valence, arousal=arousal), name)


def _set_target(viewer: Viewer, command: commands.TargetCommand, name: str) -> None:
    """Under a policy that goes by no target, a target also chooses the one that leads there."""
    texts = viewer.texts
    leads = not goes_by_target(viewer.views()[1].policy)
    said = texts("target.set" if leads else "target.set_plain", name=name)
    if viewer.send("target", command, said) and leads:
        viewer.hub.send("policy", commands.PolicyCommand(policy="lead"))


def _steering(viewer: Viewer) -> None:
    texts = viewer.texts
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
                    lambda: viewer.send("target", commands.TargetCommand(), texts("target.cleared")),
                    classes="small-btn plain",
                )
                named(clear, aria_label=texts("target.clear"))
        with tag("div", "steer-part"):
            words("h3", "card-title", texts("policy.heading"))
            policies = {}
            with named(tag("div", "choices wide"), role="group", aria_label=texts("policy.heading")):
                for policy in POLICIES:
                    policies[policy] = button(policy_words(policy, texts)[0], _policy_setter(viewer, policy))
            hint = words("p", "muted small policy-hint", "")

    def show() -> None:
        music = viewer.views()[1]
        for name, chip in targets.items():
            _pressed(chip, music.target == name)
        for policy, choice in policies.items():
            _pressed(choice, music.present and music.policy == policy)
        hint.text = policy_words(music.policy, texts)[1]
        swap_class(clear, music.target is None, "away")

    viewer.each_tick(show)


def _pressed(choice: ui.button, on: bool) -> None:
    swap_class(choice, on, "on")
    attribute(choice, "aria-pressed", "true" if on else "false")


def _target_setter(viewer: Viewer, name: str) -> Any:
    return lambda: _set_target(viewer, commands.TargetCommand(name=name), viewer.texts(f"target.{name}"))


def _policy_setter(viewer: Viewer, policy: Any) -> Any:
    return lambda: viewer.send("policy", commands.PolicyCommand(policy=policy))
