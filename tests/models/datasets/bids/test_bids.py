"""BIDS folders in the layouts of OpenNeuro's sets are found, taken apart into states, and scored."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from acquisition.signal import FloatArray
from daemon.commands.models.evaluate import evaluate
from models.datasets.bids.folder import open_bids
from models.datasets.bids.protocols import BidsEvent, Stretch, stretches_of
from models.errors import DatasetError
from models.evaluation.state_people import open_state_people
from support.recordings.a_head import head_noise
from support.recordings.bids_making import describe, write_recording, write_tsv

MUSE = ("Fp1", "Fp2", "T5", "T6")
RATE_HZ = 250.0


def head(seconds: float, seed: int, rhythm: float = 2.0, n: int = 4) -> FloatArray:
    return head_noise(seed, n, round(seconds * RATE_HZ), RATE_HZ, 10.0, rhythm)


def rest_and_task(folder: Path, people: int = 2) -> Path:
    describe(folder, "Rest and sums")
    for number in range(1, people + 1):
        for task, seconds, rhythm in (("restEyesClosed", 100, 4.0), ("mentalarithmetic", 40, 0.5)):
            name = f"sub-{number:02}_ses-01_task-{task}"
            write_recording(folder, name, head(seconds, number, rhythm), RATE_HZ, MUSE)
    return folder


def arithmetic_by_difficulty(folder: Path) -> Path:
    """As ds007262: one recording, a minute before the tutorial, then problems in random order."""
    describe(folder, "Cognitive Workload 8-level arithmetic", "doi:10.18112/openneuro.ds007262.v1.0.6")
    ranges = [(0, 6, 1, 5), (1, 5, 2, 4), (2, 4, 3, 3), (3, 3, 4, 2), (4, 2, 5, 1), (5, 1, 6, 0)]
    order = np.random.default_rng(4).permutation(np.repeat(np.arange(6), 4))
    events: list[dict[str, object]] = [
        {"onset": 2.0, "duration": 0, "trial_type": "started_tutorial_artihmetic", "istutorial": "true"},
        {"onset": 75.0, "duration": 0, "trial_type": "0_6_1_5", "istutorial": "true"},
        {"onset": 80.0, "duration": 0, "trial_type": "started_arithmetic"},
    ]
    samples_uv, end_s = [head(80, 1, 4.0, 6)], 80.0
    for place, level in enumerate(order.tolist()):
        samples_uv.append(head(8, 10 + place, 4.0 - 0.7 * level, 6))
        cue = {
            "onset": end_s + 7.0,
            "duration": 0,
            "trial_type": "_".join(map(str, ranges[level])),
            "istutorial": "false",
        }
        dropped = {"onset": end_s + 7.5, "duration": 0.01, "trial_type": "dropped_samples"}
        events += [{**cue, "marker_stream": "arithmetic-Markers"}, dropped]
        end_s += 8.0
    channels = (*MUSE, "ECG1", "Cz")
    write_recording(
        folder,
        "sub-001_task-arithmetic",
        np.concatenate(samples_uv, axis=1),
        RATE_HZ,
        channels,
        events,
        {"ECG1": "ECG"},
    )
    return folder


def nback(folder: Path) -> Path:
    """As ds007169: a marker a letter, blocks of growing difficulty, no rest."""
    describe(folder, "Multimodal n-back", "doi:10.18112/openneuro.ds007169.v1.0.5")
    events: list[dict[str, object]] = [
        {"onset": 1.0, "duration": 0, "trial_type": "1-back", "istutorial": "True"}
    ]
    for block, begin_s in enumerate((5.0, 120.0, 180.0, 240.0), 1):
        length_s = 100.0 if block == 1 else 40.0
        events += [
            {"onset": begin_s + 2.5 * i, "duration": 0, "trial_type": f"{block}-back", "istutorial": "False"}
            for i in range(round(length_s / 2.5) + 1)
        ]
    write_recording(folder, "sub-001_task-nback", head(300, 3), RATE_HZ, MUSE, events)
    return folder


def test_tasks_are_told_by_their_names(tmp_path: Path) -> None:
    found = open_bids(rest_and_task(tmp_path))
    assert found.people == ("sub-01", "sub-02")
    assert found.channels == ("Fp1", "Fp2", "P7", "P8")
    states = {one.task: one.stretches for one in found.recordings["sub-01"]}
    assert states["restEyesClosed"] == (Stretch("calm", 0.0, 100.0),)
    assert states["mentalarithmetic"] == (Stretch("engaged", 0.0, 40.0),)


def test_blocks_that_events_name_come_before_the_name_of_the_task() -> None:
    events = [
        BidsEvent(10, 20, "rest", {}),
        BidsEvent(30, 20, "subtraction", {}),
        BidsEvent(50, 1, "rest", {}),
    ]
    assert stretches_of("", "arithmetic", events, 60.0) == [
        Stretch("calm", 10, 30),
        Stretch("engaged", 30, 50),
    ]


def test_problems_of_random_difficulty_are_easy_against_hard(tmp_path: Path) -> None:
    found = open_bids(arithmetic_by_difficulty(tmp_path))
    (recording,) = found.recordings["sub-001"]
    assert recording.stretches[0] == Stretch("rest", 2.0, 62.0)
    calm = [s for s in recording.stretches if s.state == "calm"]
    engaged = [s for s in recording.stretches if s.state == "engaged"]
    assert len(calm) == len(engaged) == 8
    assert {s.end_s - s.start_s for s in calm + engaged} == {6.0}
    assert min(s.start_s for s in calm + engaged) > 80, "the tutorial's problem is none"
    assert "ECG1" not in found.channels
    assert "Cz" in found.channels


def test_markers_of_letters_are_joined_to_blocks(tmp_path: Path) -> None:
    (recording,) = open_bids(nback(tmp_path)).recordings["sub-001"]
    assert recording.stretches == (
        Stretch("calm", 5.0, 105.0),
        Stretch("engaged", 180.0, 220.0),
        Stretch("engaged", 240.0, 280.0),
    )


def test_without_rest_the_first_of_the_calm_is_the_baseline_and_not_scored(tmp_path: Path) -> None:
    people = open_state_people(Path(f"bids:{nback(tmp_path)}"))
    from inference.offline import feature_sequence

    def read(samples_uv: FloatArray, rate_hz: float):  # type: ignore[no-untyped-def]
        return feature_sequence(samples_uv, rate_hz, ("Fp1", "Fp2", "P7", "P8"), "de5@1")

    found = people.windows("sub-001", people.channels, read, 60.0)
    assert 70 < len(found.scored["rest"]) < 85, "forty seconds of a hundred"
    assert len(found.rest.end_s) > 180


@pytest.mark.parametrize("layout", [rest_and_task, arithmetic_by_difficulty, nback])
def test_one_command_gives_the_table_of_the_card(layout: object, tmp_path: Path) -> None:
    folder = layout(tmp_path / "set")  # type: ignore[operator]
    options = ["calm-engaged-muse4", f"bids:{folder}", "--json"]
    done = CliRunner().invoke(evaluate, options, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["trained_on_these"] is False
    for horizon in ("window", "10s", "30s"):
        assert 0 <= told["balanced_accuracy"][horizon] <= 1
    assert set(told["recall"]) == {"rest", "arith"}


def test_who_lacks_a_state_is_named(tmp_path: Path) -> None:
    rest_and_task(tmp_path, 1)
    write_recording(tmp_path, "sub-07_task-rest", head(20, 7), RATE_HZ, MUSE)
    assert open_bids(tmp_path).left_out == {"sub-07": "no engaged stretch in rest"}


def test_what_is_common_lies_further_up(tmp_path: Path) -> None:
    describe(tmp_path, "inherited")
    path = write_recording(tmp_path, "sub-01_task-sums", head(60, 1), RATE_HZ, MUSE)
    (path.parent / "sub-01_task-sums_channels.tsv").unlink()
    write_tsv(
        tmp_path / "task-sums_events.tsv",
        [
            {"onset": 0, "duration": 30, "trial_type": "rest"},
            {"onset": 30, "duration": 30, "trial_type": "counting"},
        ],
    )
    rows = [{"name": name, "type": "EEG", "status": "bad" if name == "Fp1" else "good"} for name in MUSE]
    write_tsv(tmp_path / "sub-01" / "sub-01_task-sums_channels.tsv", rows)
    found = open_bids(tmp_path)
    assert [s.state for s in found.recordings["sub-01"][0].stretches] == ["calm", "engaged"]
    assert found.channels == ("Fp2", "P7", "P8")


def test_what_is_wrong_is_named_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no dataset_description\.json, so no BIDS folder"):
        open_bids(tmp_path)
    describe(tmp_path, "empty")
    with pytest.raises(DatasetError, match="no recording sub-"):
        open_bids(tmp_path)
    place = tmp_path / "sub-01" / "eeg"
    place.mkdir(parents=True)
    (place / "sub-01_task-rest_eeg.set").write_text("x")
    with pytest.raises(DatasetError, match=r"formats that are read: .edf.*got .set"):
        open_bids(tmp_path)
    (place / "sub-01_task-rest_eeg.edf").symlink_to(tmp_path / ".git" / "annex" / "gone")
    with pytest.raises(DatasetError, match="has not been fetched"):
        open_bids(tmp_path)
    (place / "sub-01_task-rest_eeg.edf").unlink()
    write_recording(
        tmp_path, "sub-01_task-rest", head(20, 7), RATE_HZ, MUSE, [{"onset": "soon", "duration": 1}]
    )
    with pytest.raises(DatasetError, match="line 2: onset and duration must be numbers"):
        open_bids(tmp_path)
    (place / "sub-01_task-rest_events.tsv").unlink()
    with pytest.raises(DatasetError, match="nobody rests and works with the head there; sub-01: no engaged"):
        open_bids(tmp_path)
