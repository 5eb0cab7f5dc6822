"""Random recordings in every format, read back: values, times, gaps and lost samples are the truth's."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acquisition.readers import Recording, open_recording
from support.recordings.writing_recordings import WRITERS, Truth, head_uv, made

SECONDS = 12
RATES_HZ = {"muse.csv": (256, 220), "mind.csv": (256,), "openbci.txt": (250, 125, 200)}
ALL_HZ = (128, 200, 250, 256, 500)


def late_s(found: Recording, truth: Truth) -> float:
    """How much later than the truth the recording stands, of what stamps that jitter may do to it all."""
    steps_s = np.arange(-0.01, 0.0101, 0.0005)
    return float(min(steps_s, key=lambda step_s: _error_uv(found, truth, step_s)))


def _error_uv(found: Recording, truth: Truth, late: float) -> float:
    wanted_uv = head_uv(found.times_s + late, len(found.info.channels))
    return float(np.nanpercentile(np.abs(found.samples_uv - wanted_uv), 95))


def same_places(found: Recording, truth: Truth, late: float) -> float:
    """Share of the grid at which something stands where nothing was measured, or nothing where it was."""
    device = np.round((found.times_s + late) * truth.rate_hz * (1 + truth.error))
    measured = np.isin(device, truth.index - truth.index[0])
    return float((measured == np.isfinite(found.samples_uv[0])).mean())


def check(found: Recording, truth: Truth, *, most_late_s: float, most_uv: float) -> None:
    late = late_s(found, truth)
    assert abs(late) <= most_late_s
    assert _error_uv(found, truth, late) < most_uv
    assert same_places(found, truth, late) > 0.99
    assert found.times_s[-1] == pytest.approx(truth.span_s, abs=0.02)


@st.composite
def truths(draw: st.DrawFn, kind: str) -> Truth:
    """Whole seconds for EDF, whose records they are; packets of twelve samples for the others."""
    rate_hz = draw(st.sampled_from(RATES_HZ.get(kind, ALL_HZ)))
    error = draw(st.sampled_from((0.0, 1e-4, -0.0004)) | st.floats(-0.005, 0.005))
    seed = draw(st.integers(0, 1000))
    if kind.startswith("a."):
        gap = draw(st.sampled_from(((), ((3, 2),), ((5, 1), (8, 3)))))
        return made(rate_hz, SECONDS, error=error, gaps=gap, seed=seed)
    packets = SECONDS * rate_hz // 12
    gap_begin, gap_length = 12 * draw(st.integers(20, 50)), 12 * draw(st.sampled_from((0, 10, 60)))
    gap = ((gap_begin / rate_hz, gap_length / rate_hz),) if gap_length else ()
    lost = draw(st.lists(st.integers(2, packets - 3), max_size=4, unique=True).filter(_apart))
    jitter_s = draw(st.sampled_from((0.0, 0.0, 0.0005)))
    return made(
        rate_hz, SECONDS, error=error, gaps=gap, lost_packets=tuple(lost), jitter_s=jitter_s, seed=seed
    )


def _apart(numbers: list[int]) -> bool:
    """Packets lost one right after the other are one loss, which the gap tests for."""
    ordered = sorted(numbers)
    return all(after - before > 3 for before, after in pairwise(ordered))


@pytest.mark.parametrize("kind", WRITERS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_what_is_read_is_what_was_measured_when_it_was(
    kind: str, data: st.DataObject, tmp_path: Path
) -> None:
    truth = data.draw(truths(kind))
    found = open_recording(WRITERS[kind](tmp_path / kind, truth))
    assert found.info.rate_hz == truth.rate_hz
    burst = kind == "mind.csv"  # the stamp of twelve samples is that of their arrival, to a millisecond
    check(found, truth, most_late_s=0.003 if burst else 0.001, most_uv=2.0 if burst else 0.5)
