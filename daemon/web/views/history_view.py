"""From the records of a session to the lines, bars and figures that the history page draws. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from daemon.web.state import session_records as records
from daemon.web.state.session_records import AnyRecord
from daemon.web.texts import Texts
from daemon.web.views.reason_view import why

MAX_POINTS = 2000
UNKNOWN = "unknown"
SILENT_S = 30.0
"""A mood that is not said again for so long has ended there (the engine repeats it each 10 s)."""

LATE_S = 2.0
"""A track may be said to play a little before the decision for it is heard."""

Point = tuple[float, float | None]


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A stretch of time with a name."""

    start_s: float
    end_s: float
    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TrackChoice:
    """A decision of the player: which track, and the sentence why."""

    at_s: float
    kind: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class SessionTimeline:
    """A session as lines and spans; times are seconds since 1970."""

    start_s: float
    end_s: float
    simulated: bool
    replayed: bool
    truncated: bool
    arousal: tuple[Point, ...]
    valence: tuple[Point, ...]
    quality: tuple[Point, ...]
    tracks: tuple[TimeSpan, ...]
    unknown: tuple[TimeSpan, ...]
    gaps: tuple[TimeSpan, ...]
    decisions: tuple[TrackChoice, ...]
    labels: tuple[tuple[float, float | None, float | None], ...]


@dataclass(frozen=True, slots=True)
class Summary:
    """A session in figures."""

    duration_s: float
    known_share: float
    mean_arousal: float | None
    moods: tuple[tuple[str, float], ...]
    tracks: int
    mood_changes: int
    lost: int


@dataclass
class _Reader:
    """Folds the records once; spans are closed by what ends them."""

    moods: list[records.MoodRecord] = field(default_factory=list)
    quality: list[Point] = field(default_factory=list)
    tracks: list[records.TrackRecord] = field(default_factory=list)
    headset: list[records.HeadsetRecord] = field(default_factory=list)
    decisions: list[TrackChoice] = field(default_factory=list)
    labels: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    simulated: bool = False
    replayed: bool = False
    truncated: bool = False
    times: list[float] = field(default_factory=list)
    texts: Texts | None = None

    def _why(self, record: records.DecisionRecord) -> str:
        """In the reader's language where the codes were kept, else as the player said it then."""
        if record.because is None or self.texts is None:
            return record.why
        name = self.texts("why.track").format(title=record.title)
        return why(record.because, name, None, self.texts).whole or record.why

    def add(self, record: AnyRecord) -> None:
        self.times.append(record.t)
        match record:
            case records.StartRecord():
                self.simulated, self.replayed = record.simulated, record.replayed
            case records.MoodRecord():
                self.moods.append(record)
            case records.QualityRecord():
                self.quality.append((record.t, record.q))
            case records.TrackRecord():
                self.tracks.append(record)
            case records.HeadsetRecord():
                self.headset.append(record)
            case records.DecisionRecord():
                self.decisions.append(TrackChoice(record.t, record.kind, record.title, self._why(record)))
            case records.LabelRecord():
                self.labels.append((record.t, record.a, record.v))
            case records.EndRecord():
                self.truncated = True


def timeline(session: Sequence[AnyRecord], texts: Texts | None = None) -> SessionTimeline | None:
    """The session's picture; None when nothing was recorded. Reasons are told in these texts."""
    reader = _Reader(texts=texts)
    for record in session:
        reader.add(record)
    if not reader.times:
        return None
    start_s, end_s = min(reader.times), max(reader.times)
    return SessionTimeline(
        start_s=start_s,
        end_s=end_s,
        simulated=reader.simulated,
        replayed=reader.replayed,
        truncated=reader.truncated,
        arousal=thinned(_line([(mood.t, mood.a) for mood in reader.moods], end_s)),
        valence=thinned(_line([(mood.t, mood.v) for mood in reader.moods], end_s)),
        quality=thinned(reader.quality),
        tracks=_track_spans(reader.tracks, end_s),
        unknown=_unknown_spans(reader.moods, end_s),
        gaps=_gap_spans(reader.headset, end_s),
        decisions=tuple(reader.decisions),
        labels=tuple(reader.labels),
    )


def _line(points: Sequence[Point], end_s: float) -> list[Point]:
    """The line, held until the end and broken where nothing was said for long."""
    broken: list[Point] = []
    for at_s, value in points:
        if broken and at_s - broken[-1][0] > SILENT_S:
            broken.append((broken[-1][0] + SILENT_S, None))
        broken.append((at_s, value))
    if broken and broken[-1][0] < end_s:
        broken.append((min(end_s, broken[-1][0] + SILENT_S), broken[-1][1]))
    return broken


def thinned(points: Sequence[Point], limit: int = MAX_POINTS) -> tuple[Point, ...]:
    """At most about ``limit`` points: of each bucket the least and the greatest, and every break."""
    if len(points) <= limit:
        return tuple(points)
    width = max(1, 2 * len(points) // limit)
    kept: list[Point] = []
    for start in range(0, len(points), width):
        bucket = points[start : start + width]
        values = [point for point in bucket if point[1] is not None]
        chosen = {min(values, key=_value), max(values, key=_value)} if values else set()
        breaks = [point for point in bucket if point[1] is None]
        kept.extend(sorted({*chosen, *breaks[:1]}, key=lambda point: point[0]))
    return tuple(kept)


def _value(point: Point) -> float:
    return point[1] or 0.0


def _ends(kept: Sequence[records.Record], end_s: float) -> list[float]:
    """Each record holds until the next one of its kind, the last until the end."""
    return [record.t for record in kept[1:]] + [end_s] if kept else []


def _track_spans(tracks: Sequence[records.TrackRecord], end_s: float) -> tuple[TimeSpan, ...]:
    ends = _ends(tracks, end_s)
    return tuple(
        TimeSpan(track.t, until_s, track.title, track.artist)
        for track, until_s in zip(tracks, ends, strict=True)
    )


def why_of(track: TimeSpan, decisions: Sequence[TrackChoice]) -> str:
    """The sentence of the last decision for this track before it began; empty when none was heard."""
    told = [one.why for one in decisions if one.title == track.name and one.at_s <= track.start_s + LATE_S]
    return told[-1] if told else ""


def _unknown_spans(moods: Sequence[records.MoodRecord], end_s: float) -> tuple[TimeSpan, ...]:
    spans: list[TimeSpan] = []
    ends = _ends(moods, end_s)
    for mood, until_s in zip(moods, ends, strict=True):
        told_until_s = min(until_s, mood.t + SILENT_S)
        pieces = [(told_until_s, until_s)] if mood.a is not None else [(mood.t, until_s)]
        for start_s, stop_s in pieces:
            if stop_s <= start_s:
                continue
            if spans and start_s - spans[-1].end_s < 1e-6:
                spans[-1] = TimeSpan(spans[-1].start_s, stop_s, spans[-1].name)
            else:
                spans.append(TimeSpan(start_s, stop_s, mood.s))
    return tuple(spans)


def _gap_spans(headset: Sequence[records.HeadsetRecord], end_s: float) -> tuple[TimeSpan, ...]:
    spans: list[TimeSpan] = []
    since: tuple[float, str] | None = None
    for record in headset:
        if record.state in ("stale", "lost"):
            since = since or (record.t, record.state)
        elif since is not None:
            spans.append(TimeSpan(since[0], record.t, since[1]))
            since = None
    if since is not None:
        spans.append(TimeSpan(since[0], end_s, since[1]))
    return tuple(spans)


def summary(session: Sequence[AnyRecord]) -> Summary | None:
    """The session in figures; None when nothing was recorded."""
    drawn = timeline(session)
    if drawn is None:
        return None
    moods = [record for record in session if isinstance(record, records.MoodRecord)]
    duration_s = drawn.end_s - drawn.start_s
    seconds: dict[str, float] = defaultdict(float)
    weighted = known_s = 0.0
    for mood, until_s in zip(moods, _ends(moods, drawn.end_s), strict=True):
        length_s = max(0.0, min(until_s - mood.t, SILENT_S))
        if mood.a is not None:
            # a state that is read but not named is undecided, which is not the same as not known
            seconds["undecided" if mood.e == UNKNOWN else mood.e] += length_s
            known_s += length_s
            weighted += length_s * mood.a
    shares = _whole_percents({**seconds, UNKNOWN: max(0.0, duration_s - known_s)})
    return Summary(
        duration_s=duration_s,
        known_share=1.0 - shares.get(UNKNOWN, 0) / 100 if known_s > 0 else 0.0,
        mean_arousal=weighted / known_s if known_s > 0 else None,
        moods=tuple(
            (name, share / 100) for name, share in sorted(shares.items(), key=lambda one: -one[1]) if share
        ),
        tracks=len(drawn.tracks),
        mood_changes=sum(decision.kind == "mood_change" for decision in drawn.decisions),
        lost=len(drawn.gaps),
    )


def _whole_percents(seconds: Mapping[str, float]) -> dict[str, int]:
    """Whole percents that add up to 100: the largest remainders are rounded up."""
    total = sum(seconds.values())
    if total <= 0:
        return {}
    exact = {name: 100 * value / total for name, value in seconds.items()}
    whole = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda one: whole[one] - exact[one])[: 100 - sum(whole.values())]:
        whole[name] += 1
    return whole


COLUMNS = (
    "time",
    "wearer",
    "kind",
    "emotion",
    "status",
    "arousal",
    "valence",
    "confidence",
    "quality",
    "text",
)


def marks(simulated: bool, replayed: bool) -> str:
    """``simulated``, ``replayed``, both, or nothing for a person who was there."""
    return " ".join(word for word, true in (("simulated", simulated), ("replayed", replayed)) if true)


def as_csv(session: Sequence[AnyRecord]) -> str:
    """The session as a table, one record a row; what a spreadsheet would take for a formula is quoted."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    wearer = "person"
    for record in session:
        if isinstance(record, records.StartRecord):
            wearer = marks(record.simulated, record.replayed) or wearer
        at = datetime.fromtimestamp(record.t, UTC).isoformat(timespec="milliseconds")
        writer.writerow({"time": at, "wearer": wearer, **_row(record)})
    return out.getvalue()


def _row(record: AnyRecord) -> dict[str, object]:
    kind = type(record).__name__.removesuffix("Record").lower()
    match record:
        case records.MoodRecord():
            known = {"arousal": record.a, "valence": record.v, "confidence": record.c}
            return {"kind": kind, "emotion": record.e, "status": record.s, **known}
        case records.QualityRecord():
            return {"kind": kind, "quality": record.q, "text": "" if record.worn else "not worn"}
        case records.HeadsetRecord():
            return {"kind": kind, "text": record.state}
        case records.TrackRecord():
            text = f"{record.title} - {record.artist}" if record.artist else record.title
            return {"kind": kind, "arousal": record.a, "valence": record.v, "text": harmless(text)}
        case records.DecisionRecord():
            return {"kind": kind, "text": harmless(record.why)}
        case records.LabelRecord():
            return {"kind": kind, "arousal": record.a, "valence": record.v}
    return {"kind": kind}


def harmless(text: str) -> str:
    """A cell that begins like a formula is led by an apostrophe (OWASP, CSV injection)."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
