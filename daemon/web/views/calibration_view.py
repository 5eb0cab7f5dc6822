"""A calibration in words for a person: what to do now, how far it is, and what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from daemon.calibration import lines
from daemon.calibration.pieces import Piece, spread
from daemon.safe_text import shown
from daemon.web.state.calibration import CalibrationState
from daemon.web.state.track_library import MapTrack
from daemon.web.texts import Texts

LONG_ENOUGH_S = 41.0
STEPS = ("fit", "guide", "music", "verdict")


def step_of(calibration: CalibrationState) -> str:
    """Which of the steps is under way."""
    match calibration.phase:
        case "idle" | "starting":
            return "fit"
        case "asking":
            return "music"
        case "guided":
            step = calibration.step
            return "music" if step is not None and step.label == "music" else "guide"
    return "verdict"


def headline(calibration: CalibrationState, texts: Texts) -> tuple[str, str]:
    """What to do, and more of it."""
    step, asked = calibration.step, calibration.asked
    if calibration.phase == "starting":
        return texts("calibrate.starting"), texts("calibrate.starting_detail")
    if calibration.phase == "asking" and asked is not None:
        title = shown(asked.title, 80) or texts("calibrate.untitled")
        return texts("calibrate.rate", title=title), texts(
            "calibrate.piece", number=asked.number, of=asked.of
        )
    if calibration.phase == "fitting" and calibration.fitting is not None:
        done = calibration.fitting
        return texts("calibrate.fitting"), texts("calibrate.fitting_detail", done=done.done, of=done.of)
    if calibration.phase == "guided" and step is not None:
        return texts(f"calibrate.do_{step.label or 'rest'}"), _instruction(step, texts)
    return "", ""


def _instruction(step: lines.StepLine, texts: Texts) -> str:
    """In the page's language where it has these words, else as the calibration itself says it."""
    if texts.has(f"calibrate.says_{step.key}"):
        with contextlib.suppress(LookupError, TypeError):  # numbers other than the words want
            return texts(f"calibrate.says_{step.key}", **step.numbers)
    return shown(step.says, 300)


def share(calibration: CalibrationState) -> float:
    """How far it has come, 0 to 1."""
    if calibration.phase == "fitting" and calibration.fitting is not None:
        return calibration.fitting.done / max(1, calibration.fitting.of)
    step = calibration.step
    if step is None or not step.of:
        return 0.0
    inside = 1.0 - min(1.0, step.left_s / step.seconds) if step.seconds else 0.0
    return min(1.0, (max(0, step.number - 1) + inside) / step.of)


def verdict(result: lines.ResultLine, texts: Texts) -> list[str]:
    """What came of it, in sentences with their figures."""
    return [
        _verdict("state", result.state, texts),
        _verdict("valence", result.valence, texts),
        texts("calibrate.in_use", name=shown(result.in_use, 80)),
    ]


def _verdict(which: str, outcome: lines.Outcome | None, texts: Texts) -> str:
    if outcome is None:
        return texts(f"calibrate.{which}_absent")
    if outcome.before is None or outcome.after is None or outcome.p_value is None:
        return texts(f"calibrate.{which}_untried", reason=shown(outcome.reason, 300))
    figures = {
        "before": round(100 * outcome.before),
        "after": round(100 * outcome.after),
        "trials": outcome.trials,
        "luck": f"{100 * outcome.p_value:.1f}",
    }
    return texts(f"calibrate.{which}_{'kept' if outcome.kept else 'not_kept'}", **figures)


def pieces_from(tracks: Sequence[MapTrack], number: int, seed: int) -> list[lines.PieceWords]:
    """Pieces from all over the library's moods, each long enough to be heard to the end."""
    long_enough = (track for track in tracks if not 0 < track.duration_s < LONG_ENOUGH_S)
    known = [Piece(one.id, one.title, one.artist, one.valence, one.arousal) for one in long_enough]
    return [lines.PieceWords(id=piece.id, title=piece.title) for piece in spread(known, number, seed)]
