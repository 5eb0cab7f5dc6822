"""What this machine has, told before anything is opened: cheap looks only, nothing is loaded."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from daemon.broker import mosquitto_binary
from daemon.places import is_there, unkept, unkept_words
from daemon.settings import Settings, WebSettings
from daemon.web.security.access import page_address
from player.location import Location, printable_spec

DEVICES = Path("/dev/snd")


def sound_server(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether PulseAudio or PipeWire seems to run for this user."""
    runtime = Path(environment.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    sockets = (runtime / "pulse" / "native", runtime / "pipewire-0")
    return bool(environment.get("PULSE_SERVER")) or any(map(is_there, sockets))


def sound_device(devices: Path = DEVICES) -> bool:
    """Whether there seems to be anything to play on. Only Linux is looked at; elsewhere it is believed."""
    if not sys.platform.startswith("linux"):
        return True
    return sound_server() or any(devices.glob("pcm*p"))


def headline(settings: Settings, found: Sequence[str] = (), *, music: bool = True) -> list[str]:
    """What was found, in plain words, before anything is heard. ``found`` are the lines of a search.

    ``music`` is false where none is played.
    """
    folders = ", ".join(map(printable_spec, settings.music))
    sound = [
        f"Music: {folders or 'eight demo tracks (name a folder with --music)'}",
        f"Sound: {_sound(settings.output)}",
    ]
    lines = [
        *(found or [_wearer(settings)]),
        *(sound if music else ()),
        f"MQTT: {settings.broker.url} ({_broker(settings)}), topics neuroplayer/{settings.node}/#",
    ]
    if settings.web is not None:
        lines.append(f"Page: {_page(settings.web, settings.state_dir)}")
    return lines + unkept_lines()


def unkept_lines() -> list[str]:
    """One for each folder in which nothing can be kept now."""
    return [f"{folder.kind.capitalize()}: {unkept_words(folder)}" for folder in unkept()]


def _page(web: WebSettings, state_dir: str) -> str:
    """The address; beyond loopback it ends with the token that the page asks for."""
    try:
        return page_address(web.host, web.port, Path(state_dir))
    except OSError as error:
        return f"none, its token cannot be kept in {state_dir}: {error.strerror or error}"


def _wearer(settings: Settings) -> str:
    kind, _, rest = settings.source.partition(":")
    return {
        "simulated": "Wearer: simulated (--source lsl or brainflow:BOARD reads a headset)",
        "replay": f"Wearer: the recording {Location(rest)}",
        "lsl": f"Headset: LSL stream {rest or '(any EEG stream of this machine)'}",
        "brainflow": f"Headset: BrainFlow board {rest}",
    }.get(kind, f"Source: {printable_spec(settings.source)}")


def _broker(settings: Settings) -> str:
    if not settings.broker.ours:
        return "the broker that was named"
    return "own Mosquitto" if mosquitto_binary() else "own embedded broker, MQTT 3.1.1"


def _sound(output: str) -> str:
    if output == "device" and not sound_device():
        return "no sound device was found, so the music plays unheard (--output wav:FILE records it)"
    if output == "null":
        return "none was wanted (--output null)"
    return "the sound device" if output == "device" else printable_spec(output)
