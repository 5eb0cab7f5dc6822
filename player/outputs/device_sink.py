"""The sound device, through miniaudio: PulseAudio and PipeWire, ALSA, JACK, and others by platform."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from player.deck import MIX_RATE_HZ, PcmBlock
from player.decks.ring import PcmRing
from player.location import quoted
from player.sink import LEAD_S, SinkError

RING_S = LEAD_S
READY_S = RING_S / 2
"""So much must be there before sound begins, also after it ran dry: else the next late block is a hole."""
PERIOD_MS = 30
GONE_S = 1.5
"""A device that has asked for nothing so long is lost."""
WAKE_S = 3.5
"""One that has just been opened may sleep longer: an idle sink of PulseAudio wakes within two seconds."""
WAIT_S = 0.005
MOST_WAIT_S = 0.02
"""Looked for room so often, as long as a block does not fit: a device takes some 30 ms at once."""
LOOK_S = 0.1
"""A longer time between two looks is not the device's: the machine slept, or this process stood still."""
ALSA_NOWHERE = "null"
"""What ALSA calls the device that drops all samples."""
BACKENDS = {"pulse": "PULSEAUDIO", "pipewire": "PULSEAUDIO", "alsa": "ALSA", "jack": "JACK", "none": "NULL"}
"""Names a person may give. PipeWire is reached through the PulseAudio service that it offers."""

_ALSA_HANDLER = ctypes.CFUNCTYPE(None)(lambda: None)


class DeviceSink:
    """One playback device. ``service`` is one of ``BACKENDS`` or empty; ``device`` is part of its name."""

    paces = True

    def __init__(self, service: str = "", device: str = "") -> None:
        if service and service not in BACKENDS:
            raise SinkError(f"no sound service {quoted(service, 40)}: one of {', '.join(BACKENDS)}")
        self._service = service
        self._wanted = device
        self._shown = device or "the sound device"
        self._ring = PcmRing(int(RING_S * MIX_RATE_HZ))
        self._device: Any = None
        self._asked = 0
        self._seen_asked = 0
        self._looked_s = 0.0
        self._silent_s = 0.0
        self._flowing = False
        self.underruns = 0
        self.dropped_frames = 0

    @property
    def name(self) -> str:
        """The service and the device."""
        return f"{self._service or 'device'}:{self._shown}"

    def open(self) -> None:
        """Find the device and start it. Raises SinkError."""
        miniaudio = _miniaudio()
        _hush_alsa()
        backends = [miniaudio.Backend[BACKENDS[self._service]]] if self._service else []
        self._ring, self._flowing = PcmRing(int(RING_S * MIX_RATE_HZ)), False
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.FLOAT32,
                nchannels=2,
                sample_rate=MIX_RATE_HZ,
                buffersize_msec=PERIOD_MS,
                device_id=self._find(miniaudio, backends),
                backends=backends or None,
                app_name="neuroplayer",
            )
            # with no service at all miniaudio quietly takes its silent one
            if self._device.backend == "Null" and self._service != "none":
                raise SinkError("no sound device was found")
            self._asked = self._seen_asked = 0
            self._looked_s, self._silent_s = time.monotonic(), 0.0
            feed = self._feed()
            next(feed)
            self._device.start(feed)
        except miniaudio.MiniaudioError as error:
            self.close()
            raise SinkError(f"no sound device can be opened ({_words(error)})") from error
        except SinkError:
            self.close()
            raise

    def _find(self, miniaudio: Any, backends: list[Any]) -> Any:
        if not self._wanted:
            return None
        devices = miniaudio.Devices(backends or None)
        found = devices.get_playbacks()
        for one in found:
            names = (one["name"], _service_name(miniaudio, devices.backend, one["id"]))
            if any(self._wanted.casefold() in name.casefold() for name in names):
                self._shown = one["name"]
                return one["id"]
        known = ", ".join(repr(one["name"]) for one in found) or "none at all"
        raise SinkError(f"no sound device is called {quoted(self._wanted)}; there is {known:.400}")

    def _feed(self) -> Generator[PcmBlock, int, None]:
        """Runs in the device's thread: hands over what is there, silence where there is nothing."""
        wanted = yield np.zeros((0, 2), dtype=np.float32)
        while True:
            self._asked += 1
            self._flowing = self._flowing or self._ring.buffered >= READY_S * MIX_RATE_HZ
            block = self._ring.read(wanted if self._flowing else 0)
            if len(block) < wanted:
                self.underruns += self._flowing
                self._flowing = False
                block = np.concatenate([block, np.zeros((wanted - len(block), 2), dtype=np.float32)])
            wanted = yield block

    def write(self, block: PcmBlock, wait: bool = True) -> None:
        """Wait for room for (n, 2); without ``wait`` drop. Raises SinkError when the device is gone."""
        if self._device is None:
            raise SinkError("the sound device is not open")
        at = 0
        while at < len(block):
            put = self._ring.offer(block[at:])
            at += put
            # it asks for its first period at once, whether it is awake or not
            if self._silence_s() > (GONE_S if self._asked > 1 else WAKE_S):
                raise SinkError("the sound device is gone")
            if at < len(block) and not wait:
                self.dropped_frames += len(block) - at
                return
            if at < len(block):
                time.sleep(min(MOST_WAIT_S, max(WAIT_S, (len(block) - at) / MIX_RATE_HZ)))

    def _silence_s(self) -> float:
        """For how long the device has asked for nothing, as far as it had the chance to."""
        now_s = time.monotonic()
        if self._asked != self._seen_asked:
            self._seen_asked, self._silent_s = self._asked, 0.0
        else:
            self._silent_s += min(LOOK_S, now_s - self._looked_s)
        self._looked_s = now_s
        return self._silent_s

    def close(self) -> None:
        """Stop at once; what is in the ring is not heard."""
        device, self._device = self._device, None
        self._ring.close()
        if device is not None:
            device.close()


def device_names() -> list[tuple[str, str]]:
    """(service, device) of every playback device that can be heard. Empty without any. Raises SinkError."""
    miniaudio = _miniaudio()
    _hush_alsa()
    names = []
    for service in ("pulse", "alsa", "jack"):
        try:
            devices = miniaudio.Devices([miniaudio.Backend[BACKENDS[service]]])
            names += [
                (service, one["name"])
                for one in devices.get_playbacks()
                if _service_name(miniaudio, devices.backend, one["id"]) != ALSA_NOWHERE
            ]
        except (miniaudio.MiniaudioError, AttributeError):
            continue
    return names


def _miniaudio() -> Any:
    """Imported late: it takes 0.2 s, and those who write to a file need none of it. Raises SinkError."""
    try:
        import miniaudio
    except Exception as error:  # a broken installation may raise anything
        why = (str(error).splitlines() or [type(error).__name__])[0][:120]
        remedy = "mend it: pip install --force-reinstall miniaudio"
        raise SinkError(f"miniaudio cannot be loaded ({why}); {remedy}") from error
    return miniaudio


def _service_name(miniaudio: Any, backend: str, device_id: Any) -> str:
    """What the service itself calls a device (``pactl list short sinks``); people are shown another name."""
    if backend not in ("PulseAudio", "ALSA"):
        return ""
    name = bytes(miniaudio.ffi.buffer(device_id))[:256].split(b"\0")[0]
    return name.decode("utf-8", "replace")


def _hush_alsa() -> None:
    """Without a card ALSA writes thirty lines to standard error at every attempt, and we try every 10 s."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_ALSA_HANDLER)


def _words(error: Exception) -> str:
    return " ".join(str(part) for part in error.args)[:120]
