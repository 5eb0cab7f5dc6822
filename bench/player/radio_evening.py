"""A radio evening, shortened: two stations that are lost twenty times, in four ways, and come back.

``python bench/player/radio_evening.py [LOSSES]``; writes bench/results/player_radio_evening.json and .md. The
player is the one that ships, with no output; the stations are real servers on loopback, with titles between
the sound, which pace themselves as stations do.
"""

from __future__ import annotations

import contextlib
import io
import random
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Literal, get_args

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT), str(ROOT / "tests")]

import av  # noqa: E402
import numpy as np  # noqa: E402
from report import machine, write  # noqa: E402

from player.decks.filler_deck import LOCATION as FILLER  # noqa: E402
from player.opening import open_playback  # noqa: E402

Weather = Literal["on air", "gone", "silent", "refuses", "drops"]
LOST: tuple[Weather, ...] = get_args(Weather)[1:]
LOST_S = (4.0, 14.0)
BETWEEN_S = (6.0, 10.0)
RATE_BYTES = 16_000
BETWEEN_BYTES = 4000
BURST_S = 3.0
MOST_FILLER_S = 60.0


class Evening:
    """The weather of all stations: what a listener gets now."""

    def __init__(self) -> None:
        self.weather: Weather = "on air"


class Server:
    """One station on a port of its own, which it keeps."""

    def __init__(self, evening: Evening, sound: bytes, name: str) -> None:
        self._evening, self._sound, self._name = evening, sound, name
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._server.getsockname()[1]}/{name}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            conn, _ = self._server.accept()
            threading.Thread(target=self._answer, args=(conn,), daemon=True).start()

    def _answer(self, conn: socket.socket) -> None:
        with conn, contextlib.suppress(OSError):
            conn.recv(4096)
            if self._evening.weather == "gone":
                return
            if self._evening.weather == "refuses":
                conn.sendall(b"HTTP/1.0 503 Service Unavailable\r\n\r\n")
                return
            head = "HTTP/1.0 200 OK\r\nContent-Type: audio/mpeg\r\nicy-metaint: "
            conn.sendall(f"{head}{BETWEEN_BYTES}\r\n\r\n".encode())
            self._send(conn)

    def _send(self, conn: socket.socket) -> None:
        began_s, sent = time.monotonic(), 0
        while self._evening.weather in ("on air", "silent"):
            at = sent % (len(self._sound) - BETWEEN_BYTES)
            due_s = sent / RATE_BYTES - BURST_S - (time.monotonic() - began_s)
            if self._evening.weather == "silent" or due_s > 0:
                time.sleep(min(0.25, max(0.02, due_s)))
                continue
            said = f"StreamTitle='{self._name} {sent // (20 * RATE_BYTES)}';".encode()
            said += b"\0" * (-len(said) % 16)
            conn.sendall(self._sound[at : at + BETWEEN_BYTES] + bytes([len(said) // 16]) + said)
            sent += BETWEEN_BYTES


def mp3(seconds: int = 60) -> bytes:
    """Noise as MP3 of 128 kbit a second."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp3") as container:
        stream = container.add_stream("libmp3lame", rate=44_100, layout="stereo", bit_rate=8 * RATE_BYTES)
        for seed in range(seconds):
            noise = np.random.default_rng(seed).standard_normal((2, 44_100)).astype(np.float32) * 0.05
            for at in range(0, 44_100 - 1152, 1152):
                part = np.ascontiguousarray(noise[:, at : at + 1152])
                frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
                frame.sample_rate = 44_100
                container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


class Watch:
    """Looks ten times a second at what plays."""

    def __init__(self, playback: Any) -> None:
        self._playback = playback
        self._filler_since_s: float | None = None
        self.longest_filler_s = 0.0
        self.titles: set[str] = set()

    def look(self) -> bool:
        """True when a station is heard."""
        now_s, state = time.monotonic(), self._playback.state()
        self.titles.add(state.stream_title)
        filler = state.track is None or state.track.location == FILLER
        if filler:
            self._filler_since_s = self._filler_since_s or now_s
            self.longest_filler_s = max(self.longest_filler_s, now_s - self._filler_since_s)
        else:
            self._filler_since_s = None
        return not filler

    def watch(self, seconds: float, *, until_heard: bool = False) -> float:
        """For so long, or until a station is heard; how long that was."""
        began_s = time.monotonic()
        while time.monotonic() - began_s < seconds:
            if self.look() and until_heard:
                break
            time.sleep(0.1)
        return time.monotonic() - began_s


def losses(evening: Evening, watch: Watch, count: int) -> list[dict[str, Any]]:
    """Each loss, and how long after its end a station is heard again."""
    rng, rows = random.Random(7), []  # noqa: S311
    watch.watch(60.0, until_heard=True)
    for number in range(count):
        watch.watch(rng.uniform(*BETWEEN_S))
        kind = LOST[number % len(LOST)]
        lost_s = rng.uniform(*LOST_S)
        watch.longest_filler_s = 0.0
        evening.weather = kind
        watch.watch(lost_s)
        evening.weather = "on air"
        back_s = watch.watch(4 * MOST_FILLER_S, until_heard=True)
        rows.append(
            {
                "loss": number + 1,
                "kind": kind,
                "lost, s": round(lost_s, 1),
                "heard again after its end, s": round(back_s, 1),
                "longest filler, s": round(watch.longest_filler_s, 1),
            }
        )
        print(rows[-1], flush=True)
    return rows


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    facts, evening, sound = machine(), Evening(), mp3()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        music = Path(folder) / "music"
        music.mkdir()
        stations = [Server(evening, sound, name) for name in ("One", "Two")]
        lines = [f"#EXTINF:-1,{server.address[-3:]}\n{server.address}\n" for server in stations]
        (music / "radio.m3u").write_text("#EXTM3U\n" + "".join(lines))
        playback = open_playback(music=[str(music)], outputs=["null"], cache_dir=Path(folder) / "cache")
        playback.start()
        watch = Watch(playback)
        try:
            rows = losses(evening, watch, count)
        finally:
            playback.close()
    worst = max(row["longest filler, s"] for row in rows)
    facts |= {
        "minutes": round((time.monotonic() - began_s) / 60, 1),
        "titles heard": len(watch.titles - {""}),
    }
    notes = [
        f"Longest filler in a row: {worst:.1f} s. Target: never more than {MOST_FILLER_S:.0f} s.",
        "gone: connections are closed at once; silent: nothing more is sent; refuses: 503; drops: what is",
        "sent breaks off, and new listeners get a head without sound.",
    ]
    write("player_radio_evening", "A radio evening with losses", rows, facts, notes)


if __name__ == "__main__":
    main()
