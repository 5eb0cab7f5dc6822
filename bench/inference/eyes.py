"""How well the eyes are read, and how often opening or closing them is all that turns the state.

``python bench/inference/eyes.py FOLDER`` writes bench/results/eyes.json and .md; the folder holds `eegmat`,
`muse` and `openbci`.

The reader: on the OpenBCI sample (eyes closed about 25-70 s; five seconds on both sides of each turn are
left out), with all electrodes and with its forehead alone; on the Muse file, whose wearer's eyes nobody
told; and on a minute of the simulated wearer, whose eyes are open.

What turns: the people of eegmat rested with their eyes closed. What follows 75 s of their rest is read twice
against its beginning: as it is, and with alpha (8-13 Hz) as if the eyes had been opened: half the amplitude
at the back and 0.7 of it elsewhere, a size assumed here (the step in the OpenBCI sample is larger). And the
other way round: a baseline of such open eyes, then rest as it is. Nobody's mood was changed, so every turn is
the eyes'. It is a simulation: no recording at hand has both states of the eyes and a task.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT)]

import numpy as np  # noqa: E402
from measuring import write  # noqa: E402
from not_eeg import readings_of  # noqa: E402

from acquisition.headsets.simulated_source import SimulatedSource  # noqa: E402
from acquisition.readers.npz_people import open_people  # noqa: E402
from acquisition.readers.opening import open_recording  # noqa: E402
from acquisition.signal import EegChunk, FloatArray, StreamInfo  # noqa: E402
from inference.classification.band_power_classifier import BandPowerClassifier  # noqa: E402
from inference.emotion import EmotionState, SignalQuality  # noqa: E402
from inference.networks.model_store import ModelStore  # noqa: E402
from inference.pipeline import Pipeline, PipelineSettings  # noqa: E402
from models.calm_engaged.montages import SHIPPED  # noqa: E402

CLOSED_S = (25.0, 70.0)
EDGE_S = 5.0
BACK = frozenset({"O1", "O2", "P3", "P4", "P7", "P8", "Pz", "T5", "T6"})
SECOND_HALF_S = 75.0
SETTLED_S = 15.0


def eyes_of(samples_uv: FloatArray, rate_hz: float, channels: tuple[str, ...]) -> list[tuple[float, str]]:
    """What the engine says of the eyes, with its times."""
    pipeline = Pipeline(
        StreamInfo("x", "x", channels, rate_hz), BandPowerClassifier(channels), PipelineSettings()
    )
    said = pipeline.push(EegChunk(samples_uv, np.arange(samples_uv.shape[1]) / rate_hz))
    return [(one.at_s, one.eyes) for one in said if isinstance(one, SignalQuality)]


def told_right(said: list[tuple[float, str]]) -> dict[str, float]:
    """Shares of windows away from the turns, by what was true."""
    shares = {}
    for state in ("open", "closed"):
        inside = [
            eyes
            for at_s, eyes in said
            if (CLOSED_S[0] < at_s < CLOSED_S[1]) == (state == "closed")
            and min(abs(at_s - turn_s) for turn_s in CLOSED_S) > EDGE_S
        ]
        shares[f"{state}, read rightly"] = round(float(np.mean([e == state for e in inside])), 3)
        shares[f"{state}, unknown"] = round(float(np.mean([e == "unknown" for e in inside])), 3)
    return shares


def reader_figures(folder: Path) -> dict[str, Any]:
    """Accuracy where the truth is known, and what is said where it is not."""
    cyton = open_recording(folder / "openbci" / "OpenBCI_GUI-v6-blinks-jawClench-alpha.txt")
    names = cyton.info.channels
    front = [names.index(name) for name in ("Fp1", "Fp2", "C3", "C4")]
    muse = open_recording(folder / "muse" / "clean.csv")
    source = SimulatedSource(seed=1, speed=None)
    source.open()
    chunks = [source.poll(0.0) for _ in range(60 * 16)]
    simulated = np.concatenate([one.samples_uv for one in chunks if one is not None], axis=1)
    without = eyes_of(muse.samples_uv[:4], muse.info.rate_hz, muse.info.channels[:4])
    awake = eyes_of(simulated, 256.0, ("TP9", "AF7", "AF8", "TP10"))
    return {
        "OpenBCI, 8 electrodes": told_right(eyes_of(cyton.samples_uv, cyton.info.rate_hz, names)),
        "OpenBCI, forehead alone": told_right(
            eyes_of(cyton.samples_uv[front], cyton.info.rate_hz, tuple(names[row] for row in front))
        ),
        "Muse, no blink seen": {"unknown": round(float(np.mean([e == "unknown" for _, e in without])), 3)},
        "simulated wearer": {"open, read rightly": round(float(np.mean([e == "open" for _, e in awake])), 3)},
    }


def opened(samples_uv: FloatArray, rate_hz: float, channels: tuple[str, ...]) -> FloatArray:
    """The same samples with alpha as of open eyes."""
    hertz = np.fft.rfftfreq(samples_uv.shape[1], 1 / rate_hz)
    alpha = np.clip(np.minimum(hertz - 7.5, 13.5 - hertz), 0, 1)
    kept = np.array([[0.5 if name in BACK else 0.7] for name in channels])
    spectrum = np.fft.rfft(samples_uv, axis=1) * (1 - alpha * (1 - kept))
    result: FloatArray = np.fft.irfft(spectrum, samples_uv.shape[1], axis=1)
    return result


def turned(folder: Path) -> dict[str, Any]:
    """Shares of settled states of the second half of rest, by network and by what the eyes did."""
    people = open_people(folder / "eegmat" / "eegmat_128hz_int16.npz")
    store = ModelStore((ROOT / "models" / "pretrained",))
    figures: dict[str, Any] = {}
    for montage in SHIPPED:
        manifest = store.get(montage.name)
        rows = [people.channels.index(channel) for channel in montage.channels]
        counts: dict[str, list[str]] = {}
        for person in people.people:
            closed_uv = people.part_uv(f"{person}_rest")[rows]
            open_uv = opened(closed_uv, people.rate_hz, montage.channels)
            half = round(SECOND_HALF_S * people.rate_hz)
            for what, first_uv, then_uv in (
                ("closed, still closed", closed_uv, closed_uv),
                ("closed, then open", closed_uv, open_uv),
                ("open, still open", open_uv, open_uv),
                ("open, then closed", open_uv, closed_uv),
            ):
                joined = np.concatenate([first_uv[:, :half], then_uv[:, half:]], axis=1)
                said = readings_of(joined, people.rate_hz, manifest)
                counts.setdefault(what, []).extend(
                    one.emotion
                    for one in said
                    if isinstance(one, EmotionState) and one.at_s > SECOND_HALF_S + SETTLED_S
                )
        figures[montage.name] = {
            what: {word: round(said.count(word) / len(said), 3) for word in ("relaxed", "focused")}
            for what, said in counts.items()
        }
        print(montage.name, figures[montage.name], flush=True)
    return figures


def main() -> None:
    """Both tables."""
    folder = Path(sys.argv[1])
    document = {"reader": reader_figures(folder), "turned": turned(folder)}
    lines = [*(__doc__ or "").strip().splitlines(), "", "| recording | share of windows |", "|---|---|"]
    for name, shares in document["reader"].items():
        lines.append(f"| {name} | {', '.join(f'{what} {share:.2f}' for what, share in shares.items())} |")
    ways = list(next(iter(document["turned"].values())))
    lines += ["", f"| states: relaxed / focused | {' | '.join(ways)} |", "|" + "---|" * (1 + len(ways))]
    for name, by_way in document["turned"].items():
        cells = [f"{by_way[way]['relaxed']:.2f} / {by_way[way]['focused']:.2f}" for way in ways]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    write("eyes", "Eyes", document, lines)


if __name__ == "__main__":
    main()
