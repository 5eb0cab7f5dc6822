"""A simulated wearer: EEG that follows a calm-engaged state which slowly reacts to the music.

It is no stand-in for tests but a way to see the whole product work without a headset; whatever shows its
signal says "simulated". The rhythms are second-order resonances driven by noise; how much each band rises
or falls from calm to engaged follows what 26 people resting and doing mental arithmetic showed (EEG During
Mental Arithmetic Tasks, Zyma et al. 2019: log power of alpha at the temporal electrodes -0.4, of gamma at
the forehead +0.3), made somewhat larger, as in a wearer who reads clearly.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from acquisition.port import MAX_POLL_S
from acquisition.signal import EegChunk, FloatArray, StreamInfo

CHANNELS = ("TP9", "AF7", "AF8", "TP10")
RATE_HZ = 256.0
CHUNK = 16
MAINS_HZ = 50.0
MAINS_UV = 1.5
BLINK_UV = 90.0
BLINK_EVERY_S = 6.0
REST_S = 45.0
"""So long after the start the wearer rests, as the guided rest asks."""
SCENARIO_S = 120.0
"""Period of the wearer's own slow change between calm and engaged."""
PULL_S = 25.0
"""Time constant with which the state follows mood and music."""
MUSIC_SHARE = 0.35


@dataclass(frozen=True, slots=True)
class Rhythm:
    """A resonance: centre, bandwidth, amplitude (root mean square) and what being engaged does to it.

    ``engaged_front`` and ``engaged_back`` are changes of log power per unit of state, at the forehead and
    behind the ears.
    """

    centre_hz: float
    width_hz: float
    amplitude_uv: float
    engaged_front: float
    engaged_back: float


RHYTHMS = (
    Rhythm(2.0, 2.5, 5.5, 0.25, 0.0),
    Rhythm(6.0, 3.0, 3.0, 0.15, -0.1),
    Rhythm(9.2, 1.6, 4.0, -0.25, -0.6),
    Rhythm(11.2, 2.2, 3.5, -0.25, -0.5),
    Rhythm(17.0, 6.0, 2.4, 0.0, -0.1),
    Rhythm(25.0, 8.0, 1.8, 0.15, 0.05),
    Rhythm(37.0, 12.0, 1.5, 0.4, 0.2),
)
FRONT = np.array([0.0, 1.0, 1.0, 0.0])
SHARED = np.array(
    [
        [1.00, 0.20, 0.08, 0.15],
        [0.10, 1.00, 0.35, 0.08],
        [0.08, 0.35, 1.00, 0.10],
        [0.15, 0.08, 0.20, 1.00],
    ]
)
"""What each electrode hears of four sources, one beneath each, through one skull."""
SHARED /= np.linalg.norm(SHARED, axis=1, keepdims=True)


class SimulatedSource:
    """The wearer. ``speed`` is a factor of real time, or None for as fast as it is polled."""

    def __init__(
        self,
        *,
        seed: int = 0,
        speed: float | None = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._seed, self._speed, self._clock, self._sleep = seed, speed, clock, sleep
        self._music: float | None = None
        self._asked: float | None = None
        self._open = False

    @property
    def engagement(self) -> float:
        """The wearer's true state, -1 calm to 1 engaged: for demonstrations and tests only."""
        return self._state

    def open(self) -> StreamInfo:
        """Put the headset on."""
        self._rng = np.random.default_rng(self._seed)
        self._state, self._sample, self._open = -0.8, 0, True
        self._phase_s = float(self._rng.uniform(-5.0, 5.0))
        self._started_s = self._clock()
        self._history = np.zeros((2, len(RHYTHMS), len(CHANNELS)))
        self._blink_s = 3.0
        self._coefficients = _resonances()
        return StreamInfo(
            "simulated", "simulated wearer", CHANNELS, RATE_HZ, simulated=True, identity=f"seed {self._seed}"
        )

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        """The mood of the music that sounds now; None for silence."""
        self._music = arousal

    def ask(self, engagement: float | None) -> None:
        """Do as a guide says, -1 rest to 1 work with the head; None to follow one's own ways again."""
        self._asked = engagement

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next chunk, once it is due."""
        if not self._open:
            return None
        end = self._sample + CHUNK
        if self._speed is not None:
            due_s = self._due_s(self._speed)
            wait_s = due_s - self._clock()
            if wait_s > 0:
                self._sleep(min(wait_s, timeout_s, MAX_POLL_S))
                if self._clock() < due_s:
                    return None
        times_s = np.arange(self._sample, end) / RATE_HZ
        self._sample = end
        self._drift(float(times_s[-1]), CHUNK / RATE_HZ)
        return EegChunk(self._signal(times_s), times_s, battery_percent=100.0)

    def waiting(self) -> bool:
        """Whether a chunk is due already."""
        return self._open and (self._speed is None or self._clock() >= self._due_s(self._speed))

    def _due_s(self, speed: float) -> float:
        return self._started_s + (self._sample + CHUNK) / RATE_HZ / speed

    def close(self) -> None:
        """Take the headset off."""
        self._open = False

    def _drift(self, now_s: float, step_s: float) -> None:
        """Rest first; then the wearer's own slow wave, drawn towards the mood of the music."""
        if self._asked is not None:
            aim = 0.8 * self._asked
        elif now_s < REST_S:
            aim = -0.8
        else:
            wave = -math.cos(2 * math.pi * (now_s - REST_S + self._phase_s) / SCENARIO_S)
            aim = 1.1 * math.tanh(2.5 * (wave + 0.35))
            if self._music is not None:
                aim = (1 - MUSIC_SHARE) * aim + MUSIC_SHARE * self._music
        pull_s = PULL_S if now_s >= REST_S + 5 and self._asked is None else 4.0
        noise = 0.04 * math.sqrt(step_s) * float(self._rng.normal())
        self._state += (aim - self._state) * step_s / pull_s + noise
        self._state = min(1.0, max(-1.0, self._state))

    def _signal(self, times_s: FloatArray) -> FloatArray:
        drive = self._rng.normal(size=(len(times_s), len(RHYTHMS), len(CHANNELS)))
        drive = drive @ SHARED.T * self._loudness()
        a1, a2, gain = self._coefficients
        before, last = self._history
        out = np.empty((len(times_s), len(CHANNELS)))
        for i in range(len(times_s)):
            new = gain * drive[i] + a1 * last + a2 * before
            before, last = last, new
            out[i] = new.sum(axis=0)
        self._history = np.stack([before, last])
        mains = MAINS_UV * np.sin(2 * np.pi * MAINS_HZ * times_s)
        samples_uv: FloatArray = out.T + mains + self._blinks(times_s)
        return samples_uv

    def _loudness(self) -> FloatArray:
        """Amplitude of each rhythm at each channel in the present state, shape (n_rhythms, n_channels)."""
        level = 1.25 * (self._state + 0.8)
        front = np.array([rhythm.engaged_front for rhythm in RHYTHMS])[:, np.newaxis]
        back = np.array([rhythm.engaged_back for rhythm in RHYTHMS])[:, np.newaxis]
        change = level * (FRONT * front + (1 - FRONT) * back)
        amplitude = np.array([rhythm.amplitude_uv for rhythm in RHYTHMS])[:, np.newaxis]
        result: FloatArray = amplitude * np.exp(change / 2)
        return result

    def _blinks(self, times_s: FloatArray) -> FloatArray:
        """Blinks of 0.3 s at the forehead, a fifth as large behind the ears."""
        if times_s[0] > self._blink_s + 0.4:
            self._blink_s = float(times_s[0] + self._rng.exponential(BLINK_EVERY_S) + 0.5)
        shape = np.clip(1 - ((times_s - self._blink_s - 0.15) / 0.15) ** 2, 0, None)
        result: FloatArray = BLINK_UV * np.outer(0.2 + 0.8 * FRONT, shape)
        return result


def _resonances() -> tuple[FloatArray, FloatArray, FloatArray]:
    """Two-pole resonators of unit output variance: (a1, a2, gain), each (n_rhythms, 1)."""
    centre = np.array([rhythm.centre_hz for rhythm in RHYTHMS])
    width = np.array([rhythm.width_hz for rhythm in RHYTHMS])
    radius = np.exp(-np.pi * width / RATE_HZ)
    a1 = 2 * radius * np.cos(2 * np.pi * centre / RATE_HZ)
    a2 = -(radius**2)
    # variance of an AR(2) process driven by unit noise (Box and Jenkins, section 3.2)
    variance = (1 - a2) / ((1 + a2) * ((1 - a2) ** 2 - a1**2))
    return a1[:, np.newaxis], a2[:, np.newaxis], (1 / np.sqrt(variance))[:, np.newaxis]
