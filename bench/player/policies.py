"""Every policy against random choice and a fixed playlist, over simulated wearers, with bootstrap intervals.

``python bench/player/policies.py [WEARERS]``; writes bench/results/player_policies.json and .md. No sound is
made: the chooser that runs live is asked once every five seconds of a clock of its own.

The wearers are made up. Those who react move towards the music's arousal with a time constant of 90 s, those
who react wrongly move away from it, the others only wander; "noise" is an estimate that knows nothing of its
wearer. So these figures show what the rules do, not what music does to people.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from report import machine, write  # noqa: E402

from player.choice.chooser import Chooser, PolicySettings  # noqa: E402
from player.choice.targets import NAMED_TARGETS  # noqa: E402
from player.music import Track, WearerMood  # noqa: E402
from support.sounds.track_making import make_track  # noqa: E402

STEP_S = 5.0
SESSION_S = 1800.0
TARGET = "relax"
NEAR = 0.25
STAY_S = 30.0
FLAP_S = 180.0
KINDS = ("reacts", "reacts wrongly", "does not react", "noise")
WAYS = ("match", "lead", "contrast", "maintain", "manual", "random", "fixed")
REACTION = {"reacts": 0.8, "reacts wrongly": -0.8, "does not react": 0.0, "noise": 0.0}


@dataclass
class Wearer:
    """Arousal that wanders around the wearer's own level and is drawn by what plays."""

    kind: str
    rng: np.random.Generator
    level: float
    arousal: float = 0.0
    wander: float = 0.0

    def __post_init__(self) -> None:
        self.arousal = self.level

    def live(self, music: float) -> None:
        """Five seconds under this music."""
        self.wander += -self.wander * STEP_S / 120 + 0.25 * np.sqrt(2 * STEP_S / 120) * self.rng.normal()
        drawn = self.level + REACTION[self.kind] * (music - self.level) + self.wander
        self.arousal += (np.clip(drawn, -1, 1) - self.arousal) * STEP_S / 90

    def told(self, now_s: float) -> WearerMood:
        """What the engine would say: right on the whole, off by a third of the axis each time."""
        truth = 0.0 if self.kind == "noise" else self.arousal
        spread = 0.5 if self.kind == "noise" else 0.3
        value = float(np.clip(truth + spread * self.rng.normal(), -1, 1))
        return WearerMood(now_s, None, value, 0.6, "ok", "neutral")


@dataclass
class Session:
    """What happened in one session."""

    to_target_s: float = SESSION_S
    forced: int = 0
    flaps: int = 0
    fit: list[float] = field(default_factory=list)


def library(rng: np.random.Generator, size: int = 120) -> tuple[Track, ...]:
    return tuple(
        make_track(
            f"t{i}",
            float(rng.uniform(-0.95, 0.95)),
            artist=f"artist {i % 40}",
            duration_s=float(rng.uniform(120, 300)),
        )
        for i in range(size)
    )


def listen(way: str, kind: str, seed: int) -> Session:
    rng = np.random.default_rng([seed, 7])
    tracks = library(rng)
    wearer = Wearer(kind, rng, float(rng.uniform(0.1, 0.8)))
    if way in ("random", "fixed"):
        return _by_list(way, tracks, wearer, rng)
    target = TARGET if way in ("lead", "maintain", "manual") else None
    return _by_chooser(Chooser(PolicySettings(policy=way, target=target), seed), tracks, wearer)  # type: ignore[arg-type]


def _by_list(way: str, tracks: Sequence[Track], wearer: Wearer, rng: np.random.Generator) -> Session:
    session, watch = Session(), Watch()
    order = [int(i) for i in rng.permutation(len(tracks))] if way == "random" else list(range(len(tracks)))
    ends_s, at = 0.0, -1
    for now_s in np.arange(0.0, SESSION_S, STEP_S):
        if now_s >= ends_s:
            at += 1
            ends_s += tracks[order[at]].duration_s
        _live(session, watch, wearer, tracks[order[at]], float(now_s))
    return session


def _by_chooser(chooser: Chooser, tracks: Sequence[Track], wearer: Wearer) -> Session:
    session, watch = Session(), Watch()
    current: Track | None = None
    began_s = 0.0
    for now in np.arange(0.0, SESSION_S, STEP_S):
        now_s = float(now)
        chooser.on_mood(wearer.told(now_s))
        chosen = None
        if current is None or now_s - began_s >= current.duration_s:
            chosen = chooser.choose(now_s, tracks, "first" if current is None else "next", current).chosen
        elif chooser.wants_change(now_s, current, now_s - began_s) is not None:
            chosen = chooser.choose(now_s, tracks, "mood_change", current).chosen
            session.forced += 1
            session.flaps += watch.flaps(now_s, current, chosen)
        if chosen is not None:
            current, began_s = chosen, now_s
            chooser.mark_played(chosen, now_s)
        assert current is not None
        _live(session, watch, wearer, current, now_s)
    return session


class Watch:
    """Sees whether the wearer has arrived, and whether a forced change undoes the one before."""

    def __init__(self) -> None:
        self._near_since_s: float | None = None
        self._last: tuple[float, float] | None = None

    def arrived(self, now_s: float, arousal: float) -> bool:
        near = abs(arousal - NAMED_TARGETS[TARGET].arousal) < NEAR or arousal < NAMED_TARGETS[TARGET].arousal
        if not near:
            self._near_since_s = None
        elif self._near_since_s is None:
            self._near_since_s = now_s
        return self._near_since_s is not None and now_s - self._near_since_s >= STAY_S

    def flaps(self, now_s: float, left: Track, chosen: Track) -> bool:
        move = chosen.mood.arousal - left.mood.arousal
        last, self._last = self._last, (now_s, move)
        return last is not None and now_s - last[0] < FLAP_S and move * last[1] < 0


def _live(session: Session, watch: Watch, wearer: Wearer, track: Track, now_s: float) -> None:
    session.fit.append(abs(track.mood.arousal - wearer.arousal))
    if session.to_target_s == SESSION_S and watch.arrived(now_s, wearer.arousal):
        session.to_target_s = now_s
    wearer.live(track.mood.arousal)


def interval(values: Sequence[float], rng: np.random.Generator) -> str:
    """Mean and its 95 % bootstrap interval over wearers."""
    array: NDArray[np.float64] = np.array(values, dtype=np.float64)
    means = array[rng.integers(0, len(array), (2000, len(array)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{array.mean():.2f} [{low:.2f}, {high:.2f}]"


def main() -> None:
    wearers = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    facts = machine() | {"wearers": wearers, "minutes each": SESSION_S / 60}
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    noise: dict[str, float] = {}
    for kind in KINDS:
        for way in WAYS:
            sessions = [listen(way, kind, seed) for seed in range(wearers)]
            hours = SESSION_S / 3600
            if kind == "noise":
                noise[way] = float(np.mean([s.forced for s in sessions])) / (SESSION_S / 300)
            rows.append(
                {
                    "wearer": kind,
                    "policy": f"{way} ({TARGET})" if way in ("lead", "maintain", "manual") else way,
                    "minutes to target (30 = never)": interval([s.to_target_s / 60 for s in sessions], rng),
                    "arrived": f"{100 * np.mean([s.to_target_s < SESSION_S for s in sessions]):.0f} %",
                    "forced changes an hour": interval([s.forced / hours for s in sessions], rng),
                    "flaps an hour": interval([s.flaps / hours for s in sessions], rng),
                    "distance of music and wearer": interval([float(np.mean(s.fit)) for s in sessions], rng),
                }
            )
    worst = max(noise, key=lambda way: noise[way])
    goal = NAMED_TARGETS[TARGET].arousal
    notes = [
        f"Noise in place of EEG: {noise[worst]:.2f} forced changes in five minutes at most ({worst}).",
        "Target: less than one.",
        "",
        f"The target is {TARGET} (arousal {goal:+.1f}): reached when the wearer's true arousal stays",
        f"within {NEAR} of it, or below, for {STAY_S:.0f} s. A flap is a forced change that undoes the one",
        f"before within {FLAP_S:.0f} s. Intervals: 95 % bootstrap over wearers.",
        f"Reaction: a share of {REACTION['reacts']} of the way from the wearer's own level to the music's.",
        "",
        "The wearers are simulated, and react as they were made to: this shows what the rules do, not what",
        "music does to people.",
    ]
    write("player_policies", "Policies in simulation", rows, facts, notes)


if __name__ == "__main__":
    main()
