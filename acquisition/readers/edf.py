"""The EEG of EDF, EDF+, BDF and BDF+ files, those with pauses too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from acquisition.eeg_rows import Channel, EegRows, choose_eeg, left_out_note
from acquisition.grid.even_grid import lay_evenly
from acquisition.grid.recording import Measured, Recording, check_rate, check_samples
from acquisition.port import UnknownSourceError
from acquisition.readers.edf_records import EdfError, EdfRecords, EdfSignal
from acquisition.signal import FloatArray
from acquisition.units import in_uv

DRIFT = 0.02
"""Records that begin this share of their length early or late tell of the device's clock, not of a pause."""
EVEN = 0.05
"""Share of a sample by which records may begin beside the even grid and still be on it."""
NO_UNIT = "none"


def read_edf(path: Path) -> Recording:
    """Read the EEG signals of one file; raises ``UnknownSourceError`` naming file and rule."""
    try:
        file = EdfRecords(path)
        chosen = _chosen(path, file)
        signals = [file.signals[row] for row in chosen.rows]
        rate_hz = check_rate(path, signals[0].rate_hz)
        check_samples(path, len(signals), file.n_records * signals[0].count)
        samples_uv = np.empty((len(signals), file.n_records * signals[0].count))
        for row, (signal, factor) in enumerate(zip(signals, chosen.uv_per_unit, strict=True)):
            samples_uv[row] = in_uv(file.values(signal), factor)
        times_s = _times_s(file, signals[0])
    except UnknownSourceError:
        raise
    except Exception as error:
        raise UnknownSourceError(f"{path}: not a readable EDF or BDF file: {error}") from error
    device = f"{'BDF' if file.is_bdf else 'EDF'} file{left_out_note(chosen.left_out)}"
    return lay_evenly(Measured(path, device, chosen.names, (rate_hz,), samples_uv, times_s=times_s))


def _chosen(path: Path, file: EdfRecords) -> EegRows:
    signals = [signal for signal in file.signals if not signal.is_annotations]
    places = [place for place, signal in enumerate(file.signals) if not signal.is_annotations]
    usable = [place for place in places if file.signals[place].gain and file.signals[place].count]
    chosen = choose_eeg([_channel(file.signals[place]) for place in usable])
    if chosen.bad_units or not chosen.rows:
        flat = [signal.label for signal in signals if not signal.gain]
        why = f"; minimum and maximum must differ, those of {', '.join(flat[:4])} do not" if flat else ""
        raise UnknownSourceError(f"{path}: no EEG signal in microvolts, millivolts or volts{why}")
    rows = tuple(usable[row] for row in chosen.rows)
    left_out = tuple(file.signals[place].label for place in places if place not in rows)
    return replace(chosen, rows=rows, left_out=left_out)


def _channel(signal: EdfSignal) -> Channel:
    """A signal without a unit is not taken for one in microvolts: EDF would have said so."""
    return Channel(signal.label, signal.unit or NO_UNIT, rate_hz=signal.rate_hz)


def _times_s(file: EdfRecords, signal: EdfSignal) -> FloatArray | None:
    """When each sample was measured, where the records tell that they do not follow each other evenly."""
    onsets_s = file.onsets_s()
    if onsets_s is None:
        if file.in_pieces:
            raise EdfError("it is said to have pauses, but its records do not say when they began")
        return None
    even_s = onsets_s[0] + file.record_s * np.arange(file.n_records)
    if np.abs(onsets_s - even_s).max() < EVEN / signal.rate_hz:
        return None
    apart_s = np.append(np.diff(onsets_s), file.record_s)
    if (apart_s <= 0).any():
        if not file.in_pieces:
            return None
        raise EdfError("its records do not begin one after the other")
    follows = np.abs(apart_s - file.record_s) <= DRIFT * file.record_s
    # before a pause, too, the device's clock ran as it did
    usual_s = float(np.median(apart_s[:-1][follows[:-1]])) if follows[:-1].any() else file.record_s
    lengths_s = np.where(follows, apart_s, usual_s)
    lengths_s[-1] = usual_s
    within = np.arange(signal.count) / signal.count
    return (onsets_s[:, np.newaxis] + lengths_s[:, np.newaxis] * within).reshape(-1)
