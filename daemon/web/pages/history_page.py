"""The history: one session as a picture with zoom, several compared, to take away as PNG or CSV."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from nicegui import run, ui
from nicegui.element import Element

from daemon.safe_text import clock_time
from daemon.web.cards.reasons_card import ReasonsCard
from daemon.web.charts.history_chart import compare_options, history_options
from daemon.web.pages.frame import frame
from daemon.web.pages.recordings_card import recordings_card
from daemon.web.state.session_log import MAX_FILES, read_session, session_names, start_of
from daemon.web.viewer import Viewer, ask, button, named, script_json, tag, words
from daemon.web.views.history_view import SessionTimeline, Summary, marks, summary, timeline

REFRESH_S = 10.0
FIRST_LOOK_S = 2.0
MAX_COMPARED = 3


async def history_page(viewer: Viewer) -> None:
    """Build the page."""
    texts = viewer.texts
    with frame(viewer, "history"), tag("div", "stack"):
        with tag("div"):
            words("h1", "page-title", texts("history.heading"))
            words("p", "page-hint", texts("history.hint", count=MAX_FILES))
        names = session_names(viewer.hub.log.folder)
        if names:
            await _History(viewer, names).build()
        else:
            words("section", "card empty", texts("history.empty"))
            ui.timer(FIRST_LOOK_S, lambda: _show_the_first(viewer))
        with tag("section", "card"):
            recordings_card(viewer)


def _show_the_first(viewer: Viewer) -> None:
    """A page that was opened before there was anything to see shows the first session by itself."""
    if session_names(viewer.hub.log.folder):
        ui.navigate.reload()


class _History:
    """The page's choices and the elements they change."""

    def __init__(self, viewer: Viewer, names: list[str]) -> None:
        self._viewer, self._names = viewer, names
        self._name = names[0]
        self._others: list[str] = []
        self._read: dict[str, tuple[SessionTimeline, Summary]] = {}
        self._selects: list[Element] = []
        self._options: list[tuple[str, ui.label]] = []

    async def build(self) -> None:
        texts = self._viewer.texts
        with tag("section", "card"):
            with tag("div", "tool-row"):
                self._choice("history.choose", self._names, self._choose)
                button(texts("history.reset_zoom"), self._whole, classes="small-btn")
                tag("div", "grow")
                button(texts("history.png"), self._png, classes="small-btn", icon="image")
                button(texts("history.csv"), self._csv, classes="small-btn", icon="table_chart")
            self._truncated = words("p", "muted small", texts("history.truncated"))
            self._chart = ui.echart({"series": []}).classes("history-chart").style("margin-top:12px")
            named(self._chart, role="application", tabindex="0", aria_label=texts("history.chart_label"))
            said = named(tag("p", "said muted small wrap-anywhere"), id="reason-said", aria_live="polite")
            said.props["data-hint"] = texts("history.reasons_hint")
            ui.run_javascript(f"neuro.reasons({self._chart.id}, 'reason-said')")
        self._figures = tag("section", "card")
        with tag("section", "card"):
            self._reasons = ReasonsCard(self._viewer)
        with tag("section", "card row-line between"):
            words("p", "muted small", texts("history.private"))
            button(texts("history.forget"), self._ask_forget, classes="small-btn danger")
        with tag("section", "card"):
            with tag("div", "tool-row"):
                self._choice("history.compare", ["", *self._names], self._compare)
            words("p", "muted small", texts("history.compare_hint")).style("margin-top:8px")
            self._compared = ui.echart({"series": []}).classes("compare-chart")
            named(self._compared, role="img", aria_label=texts("history.compare_label"))
        self._viewer.on_theme(self._draw)
        await self._load(self._name)
        self._draw()
        ui.timer(REFRESH_S, self._refresh, immediate=False)

    def _choice(self, key: str, names: list[str], act: Any) -> None:
        """A plain select of the browser: it works with every keyboard, reader and phone."""
        texts = self._viewer.texts
        field_id = f"choice-{key.replace('.', '-')}"
        with tag("div", "field"):
            named(words("label", "muted", texts(key)), **{"for": field_id})
            with named(tag("select", "select"), id=field_id) as select:
                for name in names:
                    self._option(name)
            self._selects.append(select)
            select.on("change", act, js_handler="(event) => emit(event.target.value)")

    def _option(self, name: str) -> ui.label:
        text = self._title(name) if name else self._viewer.texts("history.none")
        made = named(words("option", "", text), value=name)
        self._options.append((name, made))
        return made

    def _follow_names(self) -> None:
        """A session that began meanwhile can be chosen; what is chosen stays."""
        fresh = [name for name in session_names(self._viewer.hub.log.folder) if name not in self._names]
        for name in reversed(fresh):
            self._names.insert(0, name)
            for place, select in enumerate(self._selects):
                with select:
                    self._option(name).move(target_index=place)  # under "nothing" in the second one
        for name, option in self._options:
            if name:
                option.text = self._title(name)

    def _title(self, name: str) -> str:
        texts = self._viewer.texts
        started = datetime.strptime(f"{name[:15]}+0000", "%Y%m%dT%H%M%S%z").astimezone()
        when = started.strftime(texts("app.date_seconds"))
        began = start_of(self._viewer.hub.log.folder, name)
        for mark in marks(began.simulated, began.replayed).split() if began is not None else ():
            when = texts(f"history.{mark}", when=when)
        return texts("history.running", when=when) if name == self._viewer.hub.log.name else when

    async def _choose(self, event: Any) -> None:
        if event.args in self._names:
            self._name = str(event.args)
            await self._load(self._name)
            self._draw()

    async def _compare(self, event: Any) -> None:
        """Each choice adds a session, up to three beside the first; to choose nothing clears."""
        if event.args not in self._names:
            self._others.clear()
        elif event.args not in self._others:
            self._others = [*self._others, str(event.args)][-MAX_COMPARED:]
            await self._load(str(event.args))
        self._draw_compared()

    async def _refresh(self) -> None:
        """The running session grows; the zoom stays."""
        self._follow_names()
        running = self._viewer.hub.log.name
        if running is not None and running in (self._name, *self._others):
            await self._load(running)
            self._draw(keep_zoom=True)

    async def _load(self, name: str) -> None:
        """Read and fold away from the loop: a long session is a megabyte."""
        if self._viewer.client.is_deleted:
            return
        self._viewer.hub.log.flush()
        found = await run.io_bound(_read, self._viewer, name)
        if found is not None:
            self._read[name] = found
            for old in [one for one in self._read if one not in (self._name, *self._others)]:
                del self._read[old]

    def _draw(self, *, keep_zoom: bool = False) -> None:
        viewer, texts = self._viewer, self._viewer.texts
        if self._name not in self._read or viewer.client.is_deleted:  # it may have gone while it was read
            return
        drawn, figures = self._read[self._name]
        options = history_options(drawn, viewer.colours, texts)
        _redraw(self._chart, options, keep_zoom=keep_zoom)
        self._truncated.set_visibility(drawn.truncated)
        self._figures.clear()
        with self._figures:
            _figures(viewer, self._title(self._name), figures)
        self._reasons.show(drawn.decisions)
        self._draw_compared(keep_zoom=keep_zoom)

    def _draw_compared(self, *, keep_zoom: bool = False) -> None:
        viewer, texts = self._viewer, self._viewer.texts
        if viewer.client.is_deleted:
            return
        sessions = [(self._title(name), self._read[name][0]) for name in self._shown()]
        _redraw(self._compared, compare_options(sessions, viewer.colours, texts), keep_zoom=keep_zoom)

    def _shown(self) -> list[str]:
        others = [name for name in self._others if name != self._name]
        return [name for name in [self._name, *others] if name in self._read]

    def _ask_forget(self) -> None:
        viewer, texts = self._viewer, self._viewer.texts
        if self._name == viewer.hub.log.name:
            viewer.notify(texts("history.forget_running"))
            return

        async def forget() -> None:
            viewer.hub.log.forget(self._name)
            viewer.notify(texts("history.forgotten"))
            ui.navigate.reload()

        ask(viewer, texts("history.forget_ask", name=self._title(self._name)), forget)

    def _whole(self) -> None:
        ui.run_javascript(f"neuro.wholeChart({self._chart.id})")

    def _png(self) -> None:
        title = f"{self._viewer.texts('app.name')} · {self._title(self._name)}"
        name = f"neuroplayer-{self._name}.png"
        ui.run_javascript(f"neuro.png({self._chart.id}, {script_json(name)}, {script_json(title)})")

    def _csv(self) -> None:
        ui.download(f"/history/{self._name}.csv", f"neuroplayer-{self._name}.csv")


def _redraw(chart: ui.echart, options: dict[str, Any], *, keep_zoom: bool) -> None:
    """Draw anew; a zoom that a person has chosen stays in their hand while the session grows."""
    if keep_zoom:
        kept = {key: value for key, value in options.items() if key != "dataZoom"}
        chart.run_chart_method("setOption", kept, {"replaceMerge": ["series"]})
    else:
        chart.options.clear()
        chart.options.update(options)
        chart.update()


def _read(viewer: Viewer, name: str) -> tuple[SessionTimeline, Summary] | None:
    kept = read_session(viewer.hub.log.folder, name)
    drawn, figures = timeline(kept, viewer.texts), summary(kept)
    return (drawn, figures) if drawn is not None and figures is not None else None


def _figures(viewer: Viewer, title: str, figures: Summary) -> None:
    texts = viewer.texts
    words("h2", "card-title", title)
    mean = "–" if figures.mean_arousal is None else f"{figures.mean_arousal:+.2f}"
    moods = " · ".join(f"{_mood_word(viewer, name)} {round(100 * share)} %" for name, share in figures.moods)
    values = (
        ("duration", clock_time(figures.duration_s)),
        ("known", f"{round(100 * figures.known_share)} %"),
        ("mean_arousal", mean),
        ("track_count", str(figures.tracks)),
        ("mood_changes", str(figures.mood_changes)),
        ("lost", texts("history.once") if figures.lost == 1 else texts("history.times", count=figures.lost)),
    )
    with tag("dl", "figures").style("margin-top:10px"):
        for key, value in values:
            with tag("div"):
                words("dt", "muted small", texts(f"history.{key}"))
                words("dd", "figure-value numeric", value)
    words("p", "muted small", f"{texts('history.moods')}: {moods}" if moods else "").style("margin-top:10px")


def _mood_word(viewer: Viewer, name: str) -> str:
    texts = viewer.texts
    key = f"history.mood_{name}"
    return texts(key) if texts.has(key) else name
