"""How far ``lead`` may step, and how far run ahead: minutes to the target over the wearers of policies.py.

``python bench/player/lead.py [WEARERS]``; writes bench/results/player_lead.json and .md. Every pair meets the
same wearers, so their differences are paired.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from policies import SESSION_S, TARGET, Session, interval, listen  # noqa: E402
from report import machine, write  # noqa: E402

from player.choice import policies as rules  # noqa: E402

PAIRS = ((0.25, 0.5), (0.25, 1.0), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0))
"""(step, leash); the first is what the others are held against."""
KINDS = ("reacts", "reacts wrongly", "noise")


def led(step: float, leash: float, kind: str, wearers: int) -> list[Session]:
    """The sessions of this many wearers, one a seed."""
    rules.LEAD_STEP, rules.LEAD_LEASH = step, leash
    return [listen("lead", kind, seed) for seed in range(wearers)]


def main() -> None:
    wearers = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    shipped = rules.LEAD_STEP, rules.LEAD_LEASH
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for kind in KINDS:
        before: list[float] = []
        for step, leash in PAIRS:
            sessions = led(step, leash, kind, wearers)
            minutes = [session.to_target_s / 60 for session in sessions]
            before = before or minutes
            hours = SESSION_S / 3600
            rows.append(
                {
                    "wearer": kind,
                    "step": step,
                    "leash": leash,
                    "minutes to target (30 = never)": interval(minutes, rng),
                    "minutes saved": interval([a - b for a, b in zip(before, minutes, strict=True)], rng),
                    "arrived": f"{100 * np.mean([s.to_target_s < SESSION_S for s in sessions]):.0f} %",
                    "forced changes an hour": interval([s.forced / hours for s in sessions], rng),
                    "flaps an hour": interval([s.flaps / hours for s in sessions], rng),
                    "distance of music and wearer": interval([float(np.mean(s.fit)) for s in sessions], rng),
                }
            )
    facts = machine() | {"wearers": wearers, "minutes each": SESSION_S / 60, "target": TARGET}
    notes = [
        f"Shipped: step {shipped[0]}, leash {shipped[1]}. Intervals: 95 % bootstrap over wearers; what is",
        "saved is paired by wearer, against the first row of each kind. The wearers are simulated.",
    ]
    write("player_lead", "Step and leash of lead, in simulation", rows, facts, notes)


if __name__ == "__main__":
    main()
