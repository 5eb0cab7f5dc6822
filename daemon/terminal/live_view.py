"""The live terminal view: how the wearer is read, where they are between calm and engaged, what plays."""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.align import Align
from rich.console import Console, Group, RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from daemon.mqtt import topics
from daemon.mqtt.documents import LATE_NOTE
from daemon.terminal.eyes_note import eyes_note
from daemon.terminal.trail import Trail, rows_of_dots

SPAN_S = 180.0
ENDS_SESSION = "Ctrl-C ends the session"
ENDS_VIEW = "Ctrl-C ends this view; the session goes on"
ROOMY = 30
"""From so many rows on, lines of the foot stand alone and the wearer's panel has air."""
HINT = re.compile(r" \([^()]*\)")
WEARER, MUSIC, WARN, DIM = "bold cyan", "magenta", "bold yellow", "grey62"
MOOD_STYLE = {"relaxed": "bold cyan", "focused": "bold yellow", "neutral": "bold white", "unknown": "grey70"}
STATUS_WORDS = {
    "ok": "",
    "warming_up": "listening for the first seconds",
    "calibrating": "learning your rest",
    "unreliable": "the signal is too poor to read",
    "stale": "no signal comes",
}
EMPTY: Mapping[str, Any] = {}


class LiveView:
    """Holds the newest document of every topic and draws them. Pure but for the clock it is given."""

    def __init__(
        self,
        headline: Sequence[str],
        *,
        ending: str = ENDS_SESSION,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._headline = [*headline, ending]
        self._clock = clock
        self._said: dict[str, Mapping[str, Any]] = {}
        self._at_s: dict[str, float] = {}
        self._wearer, self._music = Trail(SPAN_S), Trail(SPAN_S)
        self._gone: set[str] = set()
        self.broker_gone = False
        """Nothing new can be heard: what is shown stands still."""

    def show(self, topic: str, document: Mapping[str, Any]) -> None:
        """A new document of a short topic."""
        now_s = self._clock()
        self._said[topic], self._at_s[topic] = document, now_s
        if topic == topics.EMOTION:
            self._wearer.add(now_s, document["arousal"])
        elif topic == topics.PLAYER_STATE:
            track = document["track"]
            self._music.add(now_s, track["mood"]["arousal"] if track else None)

    def show_availability(self, role: str, online: bool) -> None:
        """A role came or went."""
        self._gone.discard(role)
        if not online:
            self._gone.add(role)
            if role == "engine":
                self._wearer.add(self._clock(), None)

    @property
    def simulated(self) -> bool:
        """Whether what is shown comes from a made-up wearer."""
        return self._marked("simulated")

    def _marked(self, mark: str) -> bool:
        return any(self._said.get(name, EMPTY).get(mark) for name in (topics.EMOTION, topics.HEADSET))

    def render(self, width: int, height: int) -> RenderableType:
        """The whole screen."""
        layout = Layout()
        lines = self._foot(width, max(2, min(10, height - 20)))
        foot = len(lines)
        layout.split_column(
            Layout(self._title(), size=1),
            Layout(name="middle", ratio=1),
            Layout(self._playing(), size=8),
            Layout(Text("\n".join(lines), style=DIM, no_wrap=True), size=foot),
        )
        layout["middle"].split_row(Layout(self._person(height), name="person", size=38), Layout(name="chart"))
        chart_height = max(3, height - 8 - 1 - foot - 4)
        layout["chart"].update(self._chart(max(12, width - 38 - 14), chart_height))
        return layout

    def _title(self) -> Text:
        title = Text(" Neuro-Adaptive Music Player ", style="bold white on dark_blue")
        if self.simulated:
            title.append("  SIMULATED WEARER: no person is behind this ", style="bold black on yellow")
        if self._marked("replayed"):
            title.append("  REPLAYED: a recording's EEG ", style="bold black on yellow")
        if self._said.get(topics.SESSION, EMPTY).get("recording"):
            title.append("  REC ", style="bold white on red")
        if self.broker_gone:
            title.append("  the broker is gone: nothing new is shown, the music goes on ", style=WARN)
        for role in sorted(self._gone):
            title.append(f"  the {role} is being started again ", style=WARN)
        return title

    def _person(self, height: int) -> Panel:
        air = [Text()] if height >= ROOMY else []
        emotion = self._said.get(topics.EMOTION, EMPTY)
        lines: list[RenderableType] = []
        name = str(emotion.get("emotion", "unknown"))
        mood = Text(name.upper(), style=MOOD_STYLE.get(name, "bold white"))
        status = STATUS_WORDS.get(str(emotion.get("status", "")), "waiting for the engine")
        if status:
            mood.append(f"  {status}", style=WARN)
        lines += [mood, self._confidence(emotion), *air]
        session = self._said.get(topics.SESSION, EMPTY)
        ended = self._said.get(topics.HEADSET, EMPTY).get("state") == "ended"
        if session.get("phase") == "calibrating" and not ended:
            lines += [*_guide(session), *air]
        lines.append(self._signal())
        if session.get("late"):
            lines.append(Text(LATE_NOTE, style=WARN))
        return Panel(Group(*lines), title="You", title_align="left", border_style="cyan")

    def _confidence(self, emotion: Mapping[str, Any]) -> Text:
        confidence = float(emotion.get("confidence", 0.0))
        text = Text("confidence ").append(bar(confidence, 12), style="cyan")
        return text.append(f" {confidence:4.0%}" if emotion.get("status") == "ok" else "    -", style=DIM)

    def _signal(self) -> RenderableType:
        signal = self._said.get(topics.SIGNAL)
        headset = self._said.get(topics.HEADSET, EMPTY)
        state = str(headset.get("state", "connecting"))
        head = Text("headset ").append(state, style="green" if state == "streaming" else WARN)
        if headset.get("battery_percent") is not None:
            head.append(f"  battery {headset['battery_percent']:.0f} %", style=DIM)
        parts: list[RenderableType] = [head]
        if headset.get("reason") and state != "streaming":
            parts.append(Text(str(headset["reason"]), style=DIM))
        if signal is not None and state == "streaming":
            parts.append(_electrodes(signal["electrodes"]))
            if not signal["worn"]:
                parts.append(Text("the headset seems not to be worn", style=WARN))
            if (eyes := eyes_note(signal)) is not None:
                parts.append(Text(eyes, style=WARN))
        return Group(*parts)

    def _chart(self, width: int, height: int) -> Panel:
        now_s = self._clock()
        columns = self._wearer.columns(now_s, 2 * width)
        wearer = rows_of_dots(columns, height)
        music = self._music.columns(now_s, width)
        table = Table.grid(padding=(0, 1))
        for row in range(height):
            label = {0: "engaged", height // 2: "balanced", height - 1: "calm"}.get(row, "")
            table.add_row(Text(f"{label:>8}", style=DIM), _row(wearer[row], music, row, height))
        table.add_row("", Text(f"-{SPAN_S / 60:.0f} min".ljust(width - 3) + "now", style=DIM))
        legend = Text("you ").append("⣀⣀⣀", style=WEARER).append("   music ").append("━━━", style=MUSIC)
        return Panel(Group(table, Align.right(legend)), title="Calm to engaged", title_align="left")

    def _playing(self) -> Panel:
        state = self._said.get(topics.PLAYER_STATE)
        if state is None or state["track"] is None:
            return Panel(Text("the music is starting", style=DIM), title="Music", title_align="left")
        track, next_ = state["track"], state["next"]
        why = (state.get("chosen") or self._said.get(topics.PLAYER_DECISION, EMPTY)).get("why", "")
        table = Table.grid(padding=(0, 1))
        table.add_column(style=DIM, justify="right", min_width=4, no_wrap=True)
        table.add_column()
        mark = "⏸ " if state["paused"] else "♪ "
        table.add_row("now", _cut(mark + _title_of(track), "bold"))
        if state.get("stream_title"):
            table.add_row("", _cut(state["stream_title"], "bold"))
        table.add_row("", self._progress(state))
        table.add_row("next", _cut(_title_of(next_)) if next_ else _cut("not chosen yet", DIM))
        if state["degraded"]:
            table.add_row("note", _cut("; ".join(state["degraded"]), WARN))
        table.add_row("why", Text(str(why), overflow="fold"))
        title = f"Music: {state['policy']}" + (f" to {state['target']}" if state["target"] else "")
        return Panel(table, title=title, title_align="left", border_style="magenta")

    def _progress(self, state: Mapping[str, Any]) -> Text:
        moved_s = 0.0 if state["paused"] else self._clock() - self._at_s[topics.PLAYER_STATE]
        position_s, duration_s = float(state["position_s"]) + moved_s, float(state["track"]["duration_s"])
        if duration_s > 0:
            position_s = min(duration_s, position_s)
            text = Text(f"{_clock_text(position_s)} ").append(bar(position_s / duration_s, 30), style=MUSIC)
            text.append(f" {_clock_text(duration_s)}")
        else:
            text = Text(f"{_clock_text(position_s)}, without an end")
        if state["fading"] is not None:
            leaving = state.get("leaving")
            text.append(f"  {leaving['title']} fades out" if leaving else "  crossfading", style=MUSIC)
        return text

    def _foot(self, width: int, height: int) -> list[str]:
        """All that was found: a line each where there is room, else packed, at last without the hints."""
        if len(self._headline) <= height:
            return self._headline
        packed: list[str] = []
        for lines in (self._headline, [HINT.sub("", line) for line in self._headline]):
            packed = textwrap.wrap(" · ".join(lines), width) or [""]
            if len(packed) <= height:
                return packed
        return [*packed[: height - 1], packed[-1]]


def _guide(session: Mapping[str, Any]) -> list[RenderableType]:
    wanted_s, trusted_s = float(session["baseline_wanted_s"]), float(session["baseline_trusted_s"])
    left_s = max(0.0, wanted_s - trusted_s)
    share = trusted_s / wanted_s if wanted_s else 1.0
    return [
        Text("Sit still, breathe calmly, eyes as you will listen.", style="bold"),
        Text(bar(share, 22), style="cyan").append(f" {left_s:3.0f} s to go"),
    ]


def _electrodes(electrodes: Sequence[Mapping[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 1))
    names = max((len(str(electrode["channel"])) for electrode in electrodes[:8]), default=1)
    table.add_column(no_wrap=True, min_width=min(8, names))
    table.add_column(no_wrap=True, min_width=8)
    table.add_column(no_wrap=True, overflow="ellipsis")
    shown = electrodes[:8]
    for electrode in shown:
        score = float(electrode["score"])
        style = "green" if score >= 0.7 else "yellow" if score >= 0.5 else "red"
        reasons = ", ".join(electrode["reasons"]).replace("_", " ") or ("good" if score >= 0.5 else "poor")
        table.add_row(
            Text(str(electrode["channel"])), Text(bar(score, 8), style=style), Text(reasons, style=DIM)
        )
    if len(electrodes) > len(shown):
        table.add_row("", "", Text(f"and {len(electrodes) - len(shown)} more", style=DIM))
    return table


def _row(dots: str, music: Sequence[float | None], row: int, height: int) -> Text:
    """One line of the chart: the wearer's dots over the music's line."""
    text = Text()
    for cell, value in zip(dots, music, strict=True):
        level = None if value is None else round((1 - max(-1.0, min(1.0, value))) / 2 * (height - 1))
        if cell != "\u2800":
            text.append(cell, style=WEARER)
        else:
            text.append("━" if level == row else " ", style=MUSIC)
    return text


def _title_of(track: Mapping[str, Any]) -> str:
    artist = f", {track['artist']}" if track["artist"] else ""
    return f"{track['title']}{artist} (arousal {track['mood']['arousal']:+.1f})"


def _cut(text: str, style: str = "") -> Text:
    """One line, whatever the width."""
    return Text(text, style=style, overflow="ellipsis", no_wrap=True)


def _clock_text(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def bar(share: float, width: int) -> str:
    """A bar of ``width`` characters filled to ``share``."""
    full = round(max(0.0, min(1.0, share)) * width)
    return "█" * full + "░" * (width - full)


def can_draw(console: Console) -> bool:
    """Whether this terminal can show the view at all."""
    return console.is_terminal and console.encoding.lower().startswith("utf") and console.width >= 72
