"""Small files in the published formats of data sets that may not be passed on."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np


def rhythm(n_channels: int, n_samples: int, rate_hz: float, seed: int = 0, alpha_uv: float = 10.0) -> Any:
    """EEG-like noise (falling with frequency) with a rhythm at 10 Hz, (n_channels, n_samples) in uV."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft(rng.normal(size=(n_channels, n_samples)), axis=1)
    spectrum /= np.maximum(np.fft.rfftfreq(n_samples, 1 / rate_hz), 1.0) ** 0.5
    noise = np.fft.irfft(spectrum, n_samples, axis=1)
    tone = np.sin(2 * np.pi * 10 * np.arange(n_samples) / rate_hz + rng.uniform(0, 6, (n_channels, 1)))
    return 8 * noise / noise.std() + alpha_uv * tone


def deap_arrays(seed: int = 0) -> tuple[Any, Any]:
    """(data (40, 40, 8064) as int8, ratings (40, 4)); the rhythm of the 3 s of rest is half as large."""
    one = rhythm(40, 8064, 128.0, seed)
    rest = rhythm(40, 384, 128.0, seed + 1, alpha_uv=5.0)
    one[:, :384] = rest
    data = np.stack([np.roll(one, shift, axis=0) for shift in range(40)]).clip(-127, 127).astype(np.int8)
    ratings = np.random.default_rng(seed).uniform(1, 9, (40, 4))
    ratings[0, :2], ratings[1, :2], ratings[2, :2] = (7, 8), (2, 2), (5.2, 4.9)
    return data, ratings


def python_2_pickle(arrays: dict[str, Any]) -> bytes:
    """What Python 2 wrote for a dictionary of arrays: protocol 2, with arrays' bytes as plain strings."""
    out = b"\x80\x02}("
    for name, array in arrays.items():
        kind = f"{array.dtype.kind}{array.dtype.itemsize}".encode()
        order = b"|" if array.dtype.itemsize == 1 else b"<"
        raw = array.tobytes()
        out += b"U" + bytes([len(name)]) + name.encode()
        out += b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
        out += b"(K\x01(" + b"".join(b"M" + struct.pack("<H", n) for n in array.shape) + b"t"
        out += b"cnumpy\ndtype\nU" + bytes([len(kind)]) + kind + b"K\x00K\x01\x87R"
        out += b"(K\x03U\x01" + order + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        out += b"\x89T" + struct.pack("<i", len(raw)) + raw + b"tb"
    return out + b"u."


def write_seed(folder: Path, people: tuple[int, ...] = (1,), seconds: float = 6.0) -> None:
    """Sessions of 15 clips of unequal lengths; the names of the variables are those of SEED."""
    from scipy.io import savemat

    order = (1, 0, -1, -1, 0, 1, -1, 0, 1, 1, 0, -1, 0, 1, -1)
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "label.mat", {"label": np.array([order])})
    for person in people:
        for date in ("20140404", "20131106", "20131027"):
            clips = {
                f"djc_eeg{i}": rhythm(62, round((seconds + i / 10) * 200), 200.0, i) + i * 1e-9
                for i in range(1, 16)
            }
            savemat(folder / f"{person}_{date}.mat", clips)


def dreamer_structure(n_people: int = 2, n_clips: int = 3) -> dict[str, Any]:
    """The nested structures of ``DREAMER.mat``, with fewer people and clips."""

    def person(seed: int) -> dict[str, Any]:
        def cells(parts: list[Any]) -> Any:
            cell = np.empty((len(parts), 1), dtype=object)
            for i, part in enumerate(parts):
                cell[i, 0] = part
            return cell

        signals = [rhythm(14, 128 * 8, 128.0, seed + i).T + 4100 for i in range(2 * n_clips)]
        return {
            "Age": "25",
            "EEG": {"baseline": cells(signals[:n_clips]), "stimuli": cells(signals[n_clips:])},
            "ScoreValence": np.array([[1], [3], [5]][:n_clips]),
            "ScoreArousal": np.array([[5], [3], [1]][:n_clips]),
        }

    people = np.empty((1, n_people), dtype=object)
    for i in range(n_people):
        people[0, i] = person(10 * i)
    return {"DREAMER": {"Data": people, "EEG_SamplingRate": 128, "noOfSubjects": n_people}}
