"""The demo music: eight pieces composed by code into the user's cache, for machines without music."""

from __future__ import annotations

import csv
import os
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from player.demo.demo_pieces import PIECES, Composition
from player.synth import RATE_HZ, Canvas, Stereo, drum, tone

FOLDER = "demo-music-1"
"""Counts up when the pieces change, so that an old cache is not taken for the new music."""
ARTIST = "Composed by code"
SIDECAR = "moods.csv"


def ensure_demo_music(cache_dir: Path, pieces: Sequence[Composition] = PIECES) -> Path:
    """Compose what is missing and return the folder with eight WAV files and their ``moods.csv``.

    Raises OSError if the cache cannot be written.
    """
    folder = cache_dir / FOLDER
    sidecar = folder / SIDECAR
    if not sidecar.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_sidecar(sidecar)
    for piece in pieces:
        path = folder / f"{piece.slug}.wav"
        if not path.exists():
            _write_wav(path, compose(piece), piece.title)
            tone.cache_clear()
    return folder


def begin_demo_music(cache_dir: Path) -> tuple[Path, subprocess.Popen[bytes] | None]:
    """Compose the calmest piece now and the rest in a child process of low priority.

    Returns the folder and the child (None when all was there): music may start from the first piece while
    the child writes the others, each appearing whole. The caller waits for the child or lets it finish.
    """
    folder = ensure_demo_music(cache_dir, PIECES[:1])
    if all((folder / f"{piece.slug}.wav").exists() for piece in PIECES):
        return folder, None
    command = [sys.executable, "-m", "player.demo.demo_music", str(cache_dir)]
    quiet = subprocess.DEVNULL
    return folder, subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)


def compose(piece: Composition) -> Stereo:
    """The piece as samples of shape (2, n_frames) at 48 kHz, the same at every call."""
    beat_s = 60 / piece.tempo_bpm
    bar_s = 4 * beat_s
    canvas = Canvas(piece.bars * bar_s + 1.0)
    rng = np.random.default_rng(sum(map(ord, piece.slug)))
    step = 0
    for bar in range(piece.bars):
        chord = piece.chords[bar % len(piece.chords)]
        at_s = bar * bar_s
        _harmony(canvas, piece, chord, at_s, bar_s)
        _arpeggio(canvas, piece, chord, at_s, beat_s, bar)
        step = _melody(canvas, piece, chord, at_s, bar_s, step, rng)
        if bar >= min(2, piece.bars // 8):
            _drums(canvas, piece, at_s, beat_s)
    canvas.add_room(piece.room)
    canvas.fade(0.05, piece.ends_by_fading_s or 0.9)
    return _finish(canvas.samples, piece)


def _pitch(piece: Composition, degree: int) -> int:
    octave, place = divmod(degree, len(piece.scale))
    return piece.root + 12 * octave + piece.scale[place]


def _harmony(canvas: Canvas, piece: Composition, chord: int, at_s: float, bar_s: float) -> None:
    for index, interval in enumerate((0, 2, 4)):
        note = _pitch(piece, chord % 7 + interval) + 12
        if piece.pad:
            canvas.add(tone("pad", note, bar_s * 1.35), at_s, piece.pad / 3, 0.4 * (index - 1))
        if piece.warm:
            canvas.add(
                tone("warm", note + 12, bar_s), at_s + 0.12 * index * bar_s, piece.warm, 0.3 - 0.3 * index
            )
    if piece.bass:
        beats = piece.bass_beats
        length_s = min(2.0, bar_s / max(1, len(beats)))
        for beat in beats:
            canvas.add(
                tone("bass", _pitch(piece, chord % 7) - 12, length_s), at_s + beat * bar_s / 4, piece.bass
            )


def _arpeggio(canvas: Canvas, piece: Composition, chord: int, at_s: float, beat_s: float, bar: int) -> None:
    if not piece.arp:
        return
    order = (0, 2, 4, 7, 4, 2, 7, 9) if bar % 4 < 2 else (7, 4, 2, 0, 2, 4, 9, 7)
    for index in range(4 * piece.arp_steps):
        note = _pitch(piece, chord % 7 + order[index % len(order)]) + 12
        accent = 1.0 if index % piece.arp_steps == 0 else 0.72
        wave = tone(piece.arp_voice, note, min(0.9, 2.2 * beat_s / piece.arp_steps))
        canvas.add(wave, at_s + index * beat_s / piece.arp_steps, piece.arp * accent, 0.5 * (-1) ** index)


def _melody(
    canvas: Canvas,
    piece: Composition,
    chord: int,
    at_s: float,
    bar_s: float,
    step: int,
    rng: np.random.Generator,
) -> int:
    """A walk on the scale that lands on a chord tone at each bar; returns where it stands."""
    if not piece.melody:
        return step
    step = chord % 7 + int(rng.choice((0, 2, 4)))
    for index in range(piece.melody_notes):
        if index and rng.random() < 0.2:
            continue
        length_s = min(2.4, 1.4 * bar_s / piece.melody_notes)
        wave = tone(piece.melody_voice, _pitch(piece, step) + 24, length_s)
        canvas.add(wave, at_s + index * bar_s / piece.melody_notes, piece.melody, 0.15)
        step = int(np.clip(step + rng.choice((-2, -1, 1, 2)), 0, 9))
    return step


def _drums(canvas: Canvas, piece: Composition, at_s: float, beat_s: float) -> None:
    kit = (("kick", piece.kick, 0.8), ("snare", piece.snare, 0.45), ("hat", piece.hat, 0.3))
    for kind, beats, level in (*kit, ("shaker", piece.shaker, 0.25)):
        for beat in beats:
            canvas.add(drum(kind), at_s + beat * beat_s, level * piece.drums, 0.2 if kind == "hat" else 0.0)


def _finish(samples: Stereo, piece: Composition) -> Stereo:
    """Bring to the piece's own RMS level, round the peaks below -0.5 dBFS, add the silent ends."""
    middle = samples[:, RATE_HZ : -2 * RATE_HZ]
    rms = float(np.sqrt(np.mean(np.square(middle, dtype=np.float32))))
    loud = samples * np.float32(10 ** (piece.level_dbfs / 20) / max(rms, 1e-9))
    rounded = np.float32(0.94) * np.tanh(loud / np.float32(0.94))
    before, after = (int(seconds * RATE_HZ) for seconds in piece.silence_s)
    return np.pad(rounded, ((0, 0), (before, after)))


def _write_sidecar(path: Path) -> None:
    partial = path.with_suffix(f".{os.getpid()}.part")
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "valence", "arousal", "source"))
        writer.writerows((f"{p.slug}.wav", p.mood.valence, p.mood.arousal, "composed") for p in PIECES)
    partial.replace(path)


def _write_wav(path: Path, samples: Stereo, title: str) -> None:
    """16-bit PCM with a LIST/INFO chunk for the tags (RIFF, Microsoft 1991); appears whole or not at all."""
    pcm = np.rint(samples.T * 32767).astype("<i2").tobytes()
    info = b"INFO" + _chunk(b"INAM", title.encode() + b"\0") + _chunk(b"IART", ARTIST.encode() + b"\0")
    format_chunk = _chunk(b"fmt ", struct.pack("<HHIIHH", 1, 2, RATE_HZ, RATE_HZ * 4, 4, 16))
    body = b"WAVE" + format_chunk + _chunk(b"LIST", info)
    partial = path.with_suffix(f".{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(b"RIFF" + struct.pack("<I", len(body) + 8 + len(pcm)) + body)
            file.write(b"data" + struct.pack("<I", len(pcm)))
            file.write(pcm)
        partial.replace(path)
    except OSError:  # a disk that is full is not filled by halves
        partial.unlink(missing_ok=True)
        raise


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


if __name__ == "__main__":
    os.nice(10)
    ensure_demo_music(Path(sys.argv[1]))
