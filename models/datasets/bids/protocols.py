"""Which stretches of a BIDS recording are rest, calm and engaged: by its task, its events and the set."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

State = Literal["rest", "calm", "engaged"]
RESTING = re.compile(r"rest|eyes|baseline|fixation|relax", re.IGNORECASE)
WORKING = re.compile(r"arithm|subtract|calcul|math|n-?back|count|memory|workload", re.IGNORECASE)
MIN_STRETCH_S = 4.0
CUE = re.compile(r"(\d+)_(\d+)_(\d+)_(\d+)")
"""A problem's marker in ds007262, ``0_6_1_5`` for a difficulty of 0.6-1.5: it ends six seconds of work."""
RANGE = re.compile(r"(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)")
CALCULATION_S = 6.0
TUTORIAL_REST_S = 60.0
NBACK = re.compile(r"(?:n-?back_)?(\d)(?:-?back)?", re.IGNORECASE)
MARKERS_APART_S = 10.0
EASY_AND_HARD = 0.25


@dataclass(frozen=True, slots=True)
class BidsEvent:
    """One row of ``events.tsv``; ``columns`` holds all of it, ``n/a`` left out."""

    onset_s: float
    duration_s: float
    kind: str
    columns: dict[str, str]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of a recording, in seconds from its first sample."""

    state: State
    start_s: float
    end_s: float


def stretches_of(dataset: str, task: str, events: Sequence[BidsEvent], duration_s: float) -> list[Stretch]:
    """What is known of a recording of ``task``, in order. ``dataset`` is an id as OpenNeuro gives them."""
    by_set = {"ds007262": _arithmetic_by_difficulty, "ds007169": _nback}
    known = by_set.get(dataset)
    found = list(_by_names(task, events, duration_s) if known is None else known(events))
    inside = [Stretch(s.state, max(0.0, s.start_s), min(s.end_s, duration_s)) for s in found]
    return sorted((s for s in inside if s.end_s - s.start_s >= MIN_STRETCH_S), key=lambda s: s.start_s)


def _by_names(task: str, events: Sequence[BidsEvent], duration_s: float) -> Iterator[Stretch]:
    """Blocks that the events name, or else the whole recording by the name of its task."""
    blocks = [event for event in events if event.duration_s >= MIN_STRETCH_S]
    told = [(event, _state_of(event.kind)) for event in blocks]
    if any(state is not None for _, state in told):
        for event, state in told:
            if state is not None:
                yield Stretch(state, event.onset_s, event.onset_s + event.duration_s)
    elif (state := _state_of(task)) is not None:
        yield Stretch(state, 0.0, duration_s)


def _state_of(name: str) -> State | None:
    if RESTING.search(name):
        return "calm"
    return "engaged" if WORKING.search(name) else None


def _arithmetic_by_difficulty(events: Sequence[BidsEvent]) -> Iterator[Stretch]:
    """ds007262: the minute before the first problem is rest; the easiest quarter of the problems is calm, the
    hardest engaged. Their order is random, so that time and cleaning tell nothing.
    """
    begin = next((event.onset_s for event in events if event.kind.startswith("started_tutorial")), None)
    problems = [(low, span) for event in events for low, span in _problems(event)]
    if begin is not None and problems:
        first_s = min(start_s for _, (start_s, _) in _all_problems(events))
        yield Stretch("rest", begin, min(begin + TUTORIAL_REST_S, first_s))
    levels = sorted({low for low, _ in problems})
    each = max(1, round(EASY_AND_HARD * len(levels)))
    if len(levels) < 2:
        return
    for low, (start_s, end_s) in problems:
        if low in levels[:each]:
            yield Stretch("calm", start_s, end_s)
        elif low in levels[-each:]:
            yield Stretch("engaged", start_s, end_s)


def _all_problems(events: Sequence[BidsEvent]) -> list[tuple[float, tuple[float, float]]]:
    return [problem for event in events for problem in _problems(event, tutorial=True)]


def _problems(event: BidsEvent, *, tutorial: bool = False) -> Iterator[tuple[float, tuple[float, float]]]:
    """A problem's difficulty and when it was worked at."""
    if event.columns.get("istutorial", "").lower() == "true" and not tutorial:
        return
    if cue := CUE.fullmatch(event.kind):
        yield float(f"{cue[1]}.{cue[2]}"), (event.onset_s - CALCULATION_S, event.onset_s)
    elif (span := RANGE.fullmatch(event.columns.get("difficulty_range", ""))) and event.duration_s > 0:
        yield float(span[1]), (event.onset_s, event.onset_s + event.duration_s)


def _nback(events: Sequence[BidsEvent]) -> Iterator[Stretch]:
    """ds007169: markers of 1-back are calm and of 3- and 4-back engaged, joined while they follow closely."""
    state: State | None = None
    start_s = last_s = 0.0
    for event in events:
        if event.columns.get("istutorial", "").lower() == "true":
            continue
        level = NBACK.fullmatch(event.kind)
        if level is None:
            continue
        now: State | None = "calm" if level[1] == "1" else "engaged" if level[1] in "34" else None
        if now != state or event.onset_s - last_s > MARKERS_APART_S:
            if state is not None:
                yield Stretch(state, start_s, last_s)
            state, start_s = now, event.onset_s
        last_s = event.onset_s + event.duration_s
    if state is not None:
        yield Stretch(state, start_s, last_s)
