"""What other people's recorders write: units, layouts, pauses, names and lies, each with its right answer."""

from __future__ import annotations

import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import mne
import numpy as np
import pytest

from acquisition.export import collect, export_session
from acquisition.port import UnknownSourceError
from acquisition.readers import Recording, open_recording
from acquisition.signal import FloatArray
from support.reading_states import windows_of
from support.recordings.writing_recordings import (
    EPOCH_S,
    MUSE,
    Recorded,
    Signal,
    edf,
    foreign_xdf,
    head_uv,
    made,
    mind_monitor_csv,
    muse_csv,
    openbci_txt,
    session_xdf,
    write_edf,
    write_xdf,
)


def records(rate_hz: int, seconds: int, row: int = 0) -> FloatArray:
    """One electrode as EDF keeps it: a row a second."""
    return head_uv(np.arange(rate_hz * seconds) / rate_hz, row + 1)[row].reshape(seconds, rate_hz)


def holds(found: Recording, within_uv: float = 0.1) -> None:
    """Every channel is the head it was measured on, at its time."""
    wanted_uv = head_uv(found.times_s, len(found.info.channels))
    assert np.nanmax(np.abs(found.samples_uv - wanted_uv)) < within_uv


def two(**changed: object) -> tuple[Signal, ...]:
    return tuple(
        Signal(f"EEG {name}", records(128, 10, row), **changed) for row, name in enumerate(("Fp1", "Fp2"))
    )  # type: ignore[arg-type]


# units and names


@pytest.mark.parametrize(
    ("unit", "per_uv"),
    [
        (b"uV", 1.0),
        (b"\xb5V", 1.0),
        ("µV".encode(), 1.0),
        ("μV".encode(), 1.0),
        (b"?V", 1.0),
        (b"UV", 1.0),
        (b"mV", 1e-3),
        (b"V", 1e-6),
        (b"nV", 1e3),
    ],
)
@pytest.mark.parametrize("bdf", [False, True])
def test_units_of_edf_however_they_are_written(unit: bytes, per_uv: float, bdf: bool, tmp_path: Path) -> None:
    signals = tuple(Signal(s.label, s.values * per_uv, unit, 100 * per_uv) for s in two())
    found = open_recording(write_edf(tmp_path / "a.edf", signals, 1.0, bdf=bdf))
    assert (found.info.channels, found.duration_s) == (("Fp1", "Fp2"), 10.0)
    holds(found)


@pytest.mark.parametrize(
    ("unit", "per_uv"),
    [("µV", 1.0), ("uV", 1.0), ("microVolts", 1.0), ("Volts", 1e-6), ("millivolts", 1e-3), ("", 1.0)],
)
def test_units_of_xdf_however_they_are_written(unit: str, per_uv: float, tmp_path: Path) -> None:
    found = open_recording(foreign_xdf(tmp_path / "a.xdf", made(128, 10), unit=unit, factor=per_uv))
    holds(found)


@pytest.mark.parametrize("name", ["rec #1.edf", "a#b#c.edf", "# ü,x=1 100%.bdf", "half.edf#"])
def test_a_file_may_have_any_name(name: str, tmp_path: Path) -> None:
    assert open_recording(write_edf(tmp_path / name, two(), 1.0)).duration_s == 10.0


@pytest.mark.parametrize("name", ["a.edf", "a.bdf", "a.rec", "a.csv", "a"])
@pytest.mark.parametrize("bdf", [False, True])
def test_the_content_says_what_a_file_is(name: str, bdf: bool, tmp_path: Path) -> None:
    found = open_recording(write_edf(tmp_path / name, two(), 1.0, bdf=bdf))
    assert found.info.device == ("BDF file" if bdf else "EDF file")
    holds(found)


def test_xdf_and_npz_too_are_known_by_their_content(tmp_path: Path) -> None:
    holds(open_recording(foreign_xdf(tmp_path / "a.dat", made(128, 10))))


# which channels


@pytest.mark.parametrize(
    ("others", "left_out"),
    [
        ((Signal("Snore", records(256, 10)),), "Snore"),
        ((Signal("Mic", records(512, 10)), Signal("X1", records(512, 10))), "Mic, X1"),
        ((Signal("ECG II", records(128, 10)), Signal("Pleth", records(128, 10), b"mV")), "ECG II, Pleth"),
        ((Signal("Resp chest", records(32, 10)), Signal("SaO2", records(128, 10), b"%")), "Resp chest, SaO2"),
        ((Signal("EMG chin", records(256, 10)), Signal("EOG left", records(256, 10))), "EMG chin, EOG left"),
        ((Signal("EEG A2-A1", records(128, 10)),), "EEG A2-A1"),
        ((Signal("EEG C3", records(128, 10), b"uV", 100.0, (0, 0)),), "EEG C3"),
    ],
)
def test_eeg_is_chosen_by_label_before_rate_and_what_is_left_out_is_said(
    others: tuple[Signal, ...], left_out: str, tmp_path: Path
) -> None:
    found = open_recording(write_edf(tmp_path / "a.edf", (*others[:1], *two(), *others[1:]), 1.0))
    assert (found.info.channels, found.info.rate_hz) == (("Fp1", "Fp2"), 128.0)
    assert found.info.device == f"EDF file (left out: {left_out})"
    holds(found)


def test_names_that_nobody_knows_are_eeg_where_there_is_no_other(tmp_path: Path) -> None:
    signals = tuple(Signal(f"E{i}", records(128, 10)) for i in range(1, 9))
    found = open_recording(write_edf(tmp_path / "a.edf", (*signals, Signal("Z", records(256, 10))), 1.0))
    assert found.info.channels == tuple(f"E{i}" for i in range(1, 9))
    cap = tuple(Signal(f"{bank}{i}", records(128, 10)) for bank in "AB" for i in range(1, 17))
    found = open_recording(
        write_edf(tmp_path / "b.bdf", (*cap, Signal("Status", records(128, 10), b"Boolean")), 1.0, bdf=True)
    )
    assert len(found.info.channels) == 32, "a cap with names of its own keeps them all"


def test_derivations_and_dotted_names_are_electrodes(tmp_path: Path) -> None:
    labels = ("EEG Fpz-Cz", "Fc5.", "C3..", "EEG T5-REF", "C4-A1")
    signals = tuple(Signal(label, records(128, 10)) for label in labels)
    found = open_recording(write_edf(tmp_path / "a.edf", signals, 1.0))
    assert found.info.channels == ("Fpz-Cz", "FC5", "C3", "P7", "C4")


def test_eeg_with_an_accelerometer_in_one_stream(tmp_path: Path) -> None:
    truth = made(128, 10)
    values = np.vstack([head_uv(truth.times_s, 4), np.ones((3, len(truth.index)))])
    channels = (*((name, "microvolts", "EEG") for name in MUSE), *((f"acc{x}", "g", "ACC") for x in "xyz"))
    path = write_xdf(tmp_path / "a.xdf", Recorded("128", values, 5 + truth.stamps_s, channels))
    found = open_recording(path)
    assert found.info.channels == MUSE
    assert found.info.device == "Cap (left out: accx, accy, accz)"
    holds(found)


@pytest.mark.parametrize(
    ("unit", "words"),
    [(b"furlong", "no EEG signal in microvolts"), (b"", "no EEG signal in microvolts")],
)
def test_eeg_in_no_unit_of_volts_is_refused(unit: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownSourceError, match=words):
        open_recording(write_edf(tmp_path / "a.edf", two(unit=unit), 1.0))


def test_a_range_without_width_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(
        UnknownSourceError, match="minimum and maximum must differ, those of EEG Fp1, EEG Fp2"
    ):
        open_recording(write_edf(tmp_path / "a.edf", two(physical=(5.0, 5.0)), 1.0))


# pauses


@pytest.mark.parametrize("bdf", [False, True])
@pytest.mark.parametrize("pause_s", [0.3, 0.5, 2.5, 25.0, 1000.0])
def test_pauses_of_edf_stay_and_labels_keep_their_time(pause_s: float, bdf: bool, tmp_path: Path) -> None:
    onsets_s = np.concatenate([np.arange(5.0), 5 + pause_s + np.arange(5.0)])
    times_s = (onsets_s[:, np.newaxis] + np.arange(128) / 128).reshape(-1)
    signals = tuple(Signal(f"EEG {n}", head_uv(times_s, 4)[i].reshape(10, 128)) for i, n in enumerate(MUSE))
    path = write_edf(tmp_path / "a.edf", signals, 1.0, onsets_s=onsets_s, in_pieces=True, bdf=bdf)
    found = open_recording(path)
    ((begin_s, end_s),) = found.gaps_s
    assert (begin_s, end_s) == pytest.approx((5.0, 5.0 + pause_s), abs=1 / 128)
    holds(found, 0.5)


def test_no_window_is_read_across_a_pause(tmp_path: Path) -> None:
    windows = windows_of(str(edf(tmp_path / "a.edf", made(128, 40, gaps=((10, 20),)))))
    assert any(12 < end_s < 29 for end_s in windows.ended_s)
    assert [end_s for end_s in windows.read_s if 10.1 < end_s < 31.5] == []
    assert sum(end_s > 32 for end_s in windows.read_s) >= 10


@pytest.mark.parametrize("pause_s", [0.5, 2.5, 6.0])
@pytest.mark.parametrize("per_second", [1.0, 1000.0])
def test_pauses_of_a_muse_and_stamps_in_milliseconds(
    pause_s: float, per_second: float, tmp_path: Path
) -> None:
    truth = made(256, 18, gaps=((6, pause_s),))
    found = open_recording(muse_csv(tmp_path / "a.csv", truth, per_second=per_second))
    assert found.info.rate_hz == 256
    ((begin_s, end_s),) = found.gaps_s
    assert (begin_s, end_s) == pytest.approx((6.0, 6 + pause_s), abs=0.005)
    holds(found, 0.6)


@pytest.mark.parametrize("zone", [0.0, EPOCH_S])
@pytest.mark.parametrize("per_second", [1e3, 1e6])
def test_xdf_with_stamps_in_other_units(zone: float, per_second: float, tmp_path: Path) -> None:
    truth = made(256, 10)
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    stamps = (zone + 7.0 + truth.stamps_s) * per_second
    found = open_recording(
        write_xdf(tmp_path / "a.xdf", Recorded("256", head_uv(truth.times_s, 4), stamps, channels))
    )
    assert found.duration_s == pytest.approx(10.0, abs=0.01)
    holds(found, 0.6)


# clocks


@pytest.mark.parametrize("error", [0.002, -0.002, -0.0004, 0.005, -0.005])
@pytest.mark.parametrize("write", [session_xdf, foreign_xdf, muse_csv, openbci_txt])
def test_a_clock_that_is_off_leaves_no_hole(write: Callable[..., Path], error: float, tmp_path: Path) -> None:
    rate_hz = 250 if write is openbci_txt else 256
    found = open_recording(write(tmp_path / "a.x", made(rate_hz, 30, error=error)))
    assert found.holes == ()
    assert found.duration_s == pytest.approx(30 / (1 + error), abs=0.01)
    holds(found, 0.6)


def test_a_clock_that_is_off_costs_no_windows_and_no_zeros(tmp_path: Path) -> None:
    path = session_xdf(tmp_path / "a.xdf", made(128, 90, error=-0.002))
    windows = windows_of(str(path))
    assert len(windows.read_s) >= len(windows.ended_s) - 4 >= 170
    raw = mne.io.read_raw_edf(export_session(path, tmp_path / "a.edf"), verbose="error")
    found_uv = 1e6 * raw.get_data()
    assert np.abs(found_uv[:, : 128 * 89] - head_uv(np.arange(128 * 89) / 128, 4)).max() < 0.5
    assert not [text for text in raw.annotations.description if text.startswith("BAD_gap")]


def test_what_an_export_lacks_is_noted(tmp_path: Path) -> None:
    path = session_xdf(tmp_path / "a.xdf", made(128, 20, gaps=((5, 2),)))
    notes = [(note.text, note.onset_s, note.duration_s) for note in collect(path).notes]
    assert notes == [("BAD_gap lost", pytest.approx(5.0), pytest.approx(2.0, abs=0.01))]


def test_one_step_back_in_time_is_a_clock_that_was_set(tmp_path: Path) -> None:
    truth = made(128, 20)
    stamps_s = 900 + truth.stamps_s
    stamps_s[1280:] -= 100.0
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    path = write_xdf(tmp_path / "a.xdf", Recorded("128", head_uv(truth.times_s, 4), stamps_s, channels))
    found = open_recording(path)
    assert (found.duration_s, found.holes) == (20.0, ())
    holds(found)


@pytest.mark.parametrize("at", [0, 700, 1279])
def test_one_stamp_astray_takes_neither_memory_nor_the_others(at: int, tmp_path: Path) -> None:
    truth = made(128, 10)
    stamps_s = truth.stamps_s.copy()
    stamps_s[at] = 170_000.0
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    path = write_xdf(tmp_path / "a.xdf", Recorded("128", head_uv(truth.times_s, 4), stamps_s, channels))
    tracemalloc.start()
    try:
        found = open_recording(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    assert found.duration_s == pytest.approx(10.0, abs=0.05)


def test_a_recording_that_is_nearly_all_gap_is_refused(tmp_path: Path) -> None:
    truth = made(128, 10)
    stamps_s = truth.stamps_s + np.where(truth.index < 640, 0.0, 160_000.0)
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    path = write_xdf(tmp_path / "a.xdf", Recorded("128", head_uv(truth.times_s, 4), stamps_s, channels))
    with pytest.raises(UnknownSourceError, match=r"only 10\.0 s hold samples"):
        open_recording(path)


@pytest.mark.parametrize("rate", ["nan", "inf", "-inf", "0", "-128", "1e9"])
def test_rates_that_cannot_be_are_refused(rate: str, tmp_path: Path) -> None:
    truth = made(128, 10)
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    path = write_xdf(tmp_path / "a.xdf", Recorded(rate, head_uv(truth.times_s, 4), truth.stamps_s, channels))
    with pytest.raises(UnknownSourceError, match=r"the sampling rate must lie inside 50\.\.20000 Hz"):
        open_recording(path)


# two streams


def _twice(path: Path, *, apart_s: float = 3.0, second: dict[str, str] | None = None) -> Path:
    first, again = made(128, 8), made(128, 8)
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    later_s = again.stamps_s + 8 + apart_s
    return write_xdf(
        path,
        Recorded(
            "128", head_uv(8 + apart_s + again.times_s, 4), later_s, channels, number=9, **(second or {})
        ),  # type: ignore[arg-type]
        Recorded("128", head_uv(first.times_s, 4), first.stamps_s, channels),
    )


def test_an_outlet_that_came_back_is_one_recording(tmp_path: Path) -> None:
    found = open_recording(_twice(tmp_path / "a.xdf"))
    assert found.duration_s == 19.0
    assert found.gaps_s == ((8.0, 11.0),)
    holds(found)


def test_two_at_once_and_two_of_two_are_asked_for(tmp_path: Path) -> None:
    path = _twice(tmp_path / "a.xdf", second={"name": "Other", "source_id": "o2"})
    with pytest.raises(
        UnknownSourceError, match=r"choose one by its name or number.*#7 is 'Cap'; #9 is 'Other'"
    ):
        open_recording(path)
    for part in ("Other", "o2", "9", "Cap"):
        assert open_recording(f"{path}#{part}").duration_s == 8.0
    together = _twice(tmp_path / "b.xdf", apart_s=-4.0)
    with pytest.raises(UnknownSourceError, match="exactly one stream of type EEG"):
        open_recording(together)
    assert open_recording(f"{together}#9").duration_s == 8.0
    with pytest.raises(UnknownSourceError, match="got 0"):
        open_recording(f"{path}#nobody")


# OpenBCI


@pytest.mark.parametrize(("channels", "rate_hz", "step"), [(4, 200, 1), (8, 250, 1), (16, 125, 2)])
@pytest.mark.parametrize("ms", [False, True])
def test_lost_packets_of_openbci_are_seen_by_its_count(
    channels: int, rate_hz: int, step: int, ms: bool, tmp_path: Path
) -> None:
    truth = made(rate_hz, 20, gaps=((4, 0.6), (12, 5.0)))
    found = open_recording(openbci_txt(tmp_path / "a.txt", truth, channels=channels, step=step, ms=ms))
    first, second = found.gaps_s
    assert first == pytest.approx((4.0, 4.6), abs=0.01)
    assert second == pytest.approx((12.0, 17.0), abs=0.01)
    assert found.info.channels[:4] == ("Fp1", "Fp2", "C3", "C4")
    assert len(set(found.info.channels)) == channels
    holds(found, 0.6 if ms else 0.1)


def test_every_tenth_packet_lost_is_bridged_and_read(tmp_path: Path) -> None:
    truth = made(250, 40, lost_packets=tuple(range(5, 1000, 10)), packet=10)
    path = openbci_txt(tmp_path / "a.txt", truth)
    found = open_recording(path)
    assert found.duration_s == pytest.approx(40.0, abs=0.05)
    assert np.isnan(found.samples_uv[0]).sum() == 1000
    holds(found)
    windows = windows_of(str(path))
    assert len(windows.read_s) >= 60, "a tenth of the samples may be interpolated"


def test_a_count_without_true_stamps_is_enough(tmp_path: Path) -> None:
    path = openbci_txt(tmp_path / "a.txt", made(250, 10, gaps=((4, 0.8),)))
    lines = path.read_text().splitlines()
    lines[5:] = [", ".join([*line.split(", ")[:10], "1700000000", "0", "12:00:00"]) for line in lines[5:]]
    path.write_text("\n".join(lines))
    found = open_recording(path)
    assert found.gaps_s == ((pytest.approx(4.0), pytest.approx(4.8)),)
    holds(found)


@pytest.mark.parametrize("channels", [4, 8, 16])
@pytest.mark.parametrize("version", [1, 2, 3])
def test_headers_of_older_guis(version: int, channels: int, tmp_path: Path) -> None:
    count = "%" if version < 3 else f"%Number of channels = {channels}"
    lines = [
        "%OpenBCI Raw EEG Data",
        count,
        "%Sample Rate = 250.0 Hz",
        "%First Column = SampleIndex",
        "%Last Column = Timestamp ",
        "%Other Columns = EEG data in microvolts followed by Accel Data (in G) interleaved with Aux Data",
    ]
    for i, column in enumerate(head_uv(np.arange(1000) / 250, channels).T):
        when = f"10:00:{i / 250:06.3f}" + ("" if version == 1 else f", {1_554_674_098_948 + 4 * i}")
        lines.append(f"{i % 256}, {', '.join(f'{value:.4f}' for value in column)}, 0.0, 0.0, 0.98, {when}")
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines) + "\n")
    found = open_recording(path)
    assert (len(found.info.channels), found.info.rate_hz, found.duration_s) == (channels, 250.0, 4.0)
    holds(found)


@pytest.mark.parametrize("named", [False, True])
def test_decimal_commas_are_refused_and_not_shifted(named: bool, tmp_path: Path) -> None:
    path = openbci_txt(tmp_path / "a.txt", made(250, 4))
    lines = path.read_text().splitlines()
    lines[5:] = [line.replace(".", ",") for line in lines[5:]]
    if not named:
        del lines[4]
    path.write_text("\n".join(lines))
    with pytest.raises(UnknownSourceError, match=r"a\.txt: .*(24 fields where the header names 13|a point)"):
        open_recording(path)
    csv = muse_csv(tmp_path / "a.csv", made(256, 4))
    rows = csv.read_text().splitlines()
    csv.write_text("\n".join([rows[0], *(row.replace(".", ",") for row in rows[1:])]))
    with pytest.raises(UnknownSourceError, match="line 2 has 12 fields where the header names 6"):
        open_recording(csv)


# Mind Monitor


def test_mind_monitor_is_read_with_its_packets_pauses_and_events(tmp_path: Path) -> None:
    truth = made(256, 24, gaps=((12, 3),), error=0.001)
    found = open_recording(mind_monitor_csv(tmp_path / "mindMonitor_2024-01-01.csv", truth))
    assert (found.info.channels, found.info.rate_hz) == (MUSE, 256.0)
    ((begin_s, end_s),) = found.gaps_s
    assert (begin_s, end_s) == pytest.approx((12.0, 15.0), abs=0.1)
    windows = windows_of(str(tmp_path / "mindMonitor_2024-01-01.csv"))
    assert len(windows.read_s) >= 25


def test_mind_monitor_with_a_row_a_second_says_what_to_set(tmp_path: Path) -> None:
    path = mind_monitor_csv(tmp_path / "a.csv", made(256, 60))
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *lines[1::256]]))
    with pytest.raises(UnknownSourceError, match="recording interval must be 'Constant'"):
        open_recording(path)


def test_nothing_is_said_on_stderr(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = write_edf(tmp_path / "a.edf", two(), 1.0)
    path.write_bytes(path.read_bytes()[:-100])
    loud = write_xdf(
        tmp_path / "a.xdf",
        Recorded(
            "128", np.full((2, 1280), 1e308), np.arange(1280) / 128, (("Fp1", "V", ""), ("Fp2", "V", ""))
        ),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_recording(path).duration_s == 9.0
        assert np.isnan(open_recording(loud).samples_uv).all()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["edf", "bdf"])
def test_what_mne_and_our_own_export_write_is_read(suffix: str, tmp_path: Path) -> None:
    truth = made(200, 30)
    info = mne.create_info([*MUSE, "Breath"], 200.0, ["eeg"] * 4 + ["resp"])
    rows = np.vstack([1e-6 * head_uv(truth.times_s, 4), np.zeros(len(truth.index))])
    raw = mne.io.RawArray(rows, info, verbose="error")
    raw.set_annotations(mne.Annotations([3.0, 9.0], [0.0, 1.0], ["begin", "BAD_blink"]))
    raw.export(tmp_path / f"a.{suffix}", verbose="error")
    found = open_recording(tmp_path / f"a.{suffix}")
    assert (found.info.channels, found.info.rate_hz, found.duration_s) == (MUSE, 200.0, 30.0)
    holds(found)
    session = session_xdf(tmp_path / "s.xdf", made(128, 12, error=0.003))
    ours = open_recording(export_session(session, tmp_path / f"b.{suffix}"))
    assert (ours.info.channels, ours.info.rate_hz) == (MUSE, 128.0)
    ours_uv = ours.samples_uv[:, : round(12 / 1.003 * 128) - 2]
    assert np.abs(ours_uv - head_uv(ours.times_s[: ours_uv.shape[1]], 4)).max() < 0.5


def test_midnight_in_a_file_with_times_of_day_is_no_gap(tmp_path: Path) -> None:
    lines = ["%OpenBCI Raw EEG Data", "%", "%Sample Rate = 250.0 Hz"]
    for i, column in enumerate(head_uv(np.arange(2000) / 250, 8).T):
        second = (86_396 + i / 250) % 86_400
        when = f"{int(second // 3600):02}:{int(second // 60 % 60):02}:{second % 60:06.3f}"
        lines.append(f"{i % 256}, {', '.join(f'{value:.4f}' for value in column)}, 0.0, 0.0, 0.98, {when}")
    path = tmp_path / "a.txt"
    path.write_text("\n".join(lines) + "\n")
    found = open_recording(path)
    assert (found.duration_s, found.holes) == (8.0, ())
    holds(found)


@pytest.mark.parametrize("share", [0.86, 0.95, 1.03])
@pytest.mark.parametrize("jitter_s", [0.0, 0.002])
def test_a_rate_that_is_not_the_one_named_is_read_by_the_stamps(
    share: float, jitter_s: float, tmp_path: Path
) -> None:
    truth = made(256, 30, error=share - 1, jitter_s=jitter_s)
    found = open_recording(foreign_xdf(tmp_path / "a.xdf", truth))
    assert found.duration_s == pytest.approx(30 / share, abs=0.02)
    assert found.holes == ()
    holds(found, 5.0 if jitter_s else 0.5)


@pytest.mark.parametrize("first", [0, 101])
def test_the_ganglion_gives_two_samples_one_number(first: int, tmp_path: Path) -> None:
    numbers = (
        [0, *(n for n in range(1, 101) for _ in "12")]
        if first == 0
        else [n for n in range(101, 201) for _ in "12"]
    )
    truth = made(200, 20, gaps=((9.01, 0.4),))
    path = openbci_txt(tmp_path / "a.txt", truth, channels=4)
    lines = path.read_text().splitlines()
    for place, index in enumerate(truth.index.astype(int), 5):
        lines[place] = f"{numbers[index % len(numbers)]},{lines[place].partition(',')[2]}"
    path.write_text("\n".join(lines))
    found = open_recording(path)
    assert found.duration_s == pytest.approx(20.0, abs=0.02)
    assert np.isnan(found.samples_uv[0]).sum() == pytest.approx(80, abs=2)
    holds(found, 1.5)


@pytest.mark.parametrize("beside_s", [0.05, -0.05, 3.0, -3.0, 5000.0])
def test_a_single_stamp_beside_the_others_makes_no_hole(beside_s: float, tmp_path: Path) -> None:
    truth = made(256, 10)
    stamps_s = 10_000 + truth.stamps_s
    stamps_s[[500, 1500, 1501]] += beside_s
    channels = tuple((name, "microvolts", "EEG") for name in MUSE)
    path = write_xdf(tmp_path / "a.xdf", Recorded("256", head_uv(truth.times_s, 4), stamps_s, channels))
    found = open_recording(path)
    assert (found.duration_s, found.holes) == (10.0, ())
    holds(found)
