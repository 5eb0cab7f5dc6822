"""Channels: names found under their aliases, and what the wearer changes of them."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.headsets.montage_source import montage_edit
from acquisition.montage import canonical
from acquisition.opening import check_source, make_source
from acquisition.port import ReactsToMusic, UnknownSourceError
from acquisition.source_spec import parse_source

MUSE = ("TP9", "AF7", "AF8", "TP10")


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("EEG T3-REF", "T7"),
        ("t3", "T7"),
        ("FP1", "Fp1"),
        ("EEG Fpz.", "Fpz"),
        ("  cz ", "Cz"),
        ("T5", "P7"),
        ("eeg-O2", "O2"),
        ("Right AUX", "Right AUX"),
    ],
)
def test_names_lose_their_frills(written: str, name: str) -> None:
    assert canonical(written) == name


def test_channels_are_renamed_reordered_and_dropped() -> None:
    edit = montage_edit({"rename": "TP9:T5;tp10:T6", "pick": "P8;AF7;P7", "drop": "AF7"})
    assert edit is not None
    assert edit.apply(MUSE) == (("P8", "P7"), [3, 0])


def test_a_source_gives_the_changed_rows_and_still_hears_music() -> None:
    plain = make_source(parse_source("simulated"), speed=None, seed=4)
    changed = make_source(parse_source("simulated:rename=TP9:Oz,pick=AF8;Oz"), speed=None, seed=4)
    plain.open()
    assert changed.open().channels == ("AF8", "Oz")
    one, other = plain.poll(0.05), changed.poll(0.05)
    assert one is not None
    assert other is not None
    assert np.array_equal(other.samples_uv, one.samples_uv[[2, 0]])
    assert isinstance(changed, ReactsToMusic)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("rename=XX:Fp1", "rename names 'XX', the channels are TP9, AF7, AF8, TP10"),
        ("rename=TP9", "rename is written OLD:NEW"),
        ("rename=TP9:AF7", "two channels the name AF7"),
        ("pick=Fp1", "pick names 'Fp1'"),
        ("pick=TP9;TP9", "distinct channels"),
        ("drop=TP9;AF7;AF8;TP10", "distinct channels"),
    ],
)
def test_what_cannot_be_is_said(options: str, words: str) -> None:
    with pytest.raises(UnknownSourceError, match=words):
        make_source(parse_source(f"simulated:{options}")).open()


def test_simulated_takes_no_other_option() -> None:
    with pytest.raises(UnknownSourceError, match="simulated takes only rename, pick, drop"):
        check_source(parse_source("simulated:colour=blue"))


def test_a_replayed_file_may_have_commas_and_options() -> None:
    spec = parse_source("replay:/data/a,b=c.csv,pick=AF7;AF8,drop=AF8")
    assert spec.argument == "/data/a,b=c.csv"
    assert dict(spec.options) == {"pick": "AF7;AF8", "drop": "AF8"}
    assert parse_source(spec.text) == spec
