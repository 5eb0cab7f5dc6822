"""EDF, EDF+, BDF and BDF+ files, by edfio."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.montage import canonical
from acquisition.port import UnknownSourceError
from acquisition.readers.recording import Recording, check_samples, make_recording
from acquisition.units import TO_UV

NOT_EEG = ("ECG", "EKG", "EOG", "EMG", "STATUS", "TRIGGER", "ANNOTATION", "RESP", "A2-A1", "A1-A2")


def read_edf(path: Path) -> Recording:
    """Read the EEG signals of one file; raises ``UnknownSourceError`` naming file and rule."""
    from edfio import read_bdf
    from edfio import read_edf as read_edf_file

    try:
        file = (read_bdf if path.suffix.lower() == ".bdf" else read_edf_file)(path)
        signals = [
            signal
            for signal in file.signals
            if not any(word in signal.label.upper() for word in NOT_EEG)
            and signal.physical_dimension.strip().lower() in TO_UV
            and signal.physical_dimension.strip()
        ]
        if not signals:
            raise UnknownSourceError(f"{path}: no EEG signal in microvolts, millivolts or volts")
        rate_hz = max(signal.sampling_frequency for signal in signals)
        signals = [signal for signal in signals if signal.sampling_frequency == rate_hz]
        check_samples(
            path, len(signals), max(file.num_data_records * s.samples_per_data_record for s in signals)
        )
        rows = [signal.data * TO_UV[signal.physical_dimension.strip().lower()] for signal in signals]
    except UnknownSourceError:
        raise
    except Exception as error:
        raise UnknownSourceError(f"{path}: not a readable EDF or BDF file: {error}") from error
    names = _unique(tuple(canonical(signal.label) for signal in signals))
    samples_uv = np.asarray(np.stack(rows), dtype=np.float64)
    return make_recording(path, f"{path.suffix[1:].upper()} file", names, float(rate_hz), samples_uv)


def _unique(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name if names.index(name) == i else f"{name}#{i}" for i, name in enumerate(names))
