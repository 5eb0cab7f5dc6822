"""What ``neuroplayer doctor`` looks at: each finding with what to do about it. Changes nothing."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import shutil
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from acquisition.port import MissingPartError
from daemon import places
from daemon.configuration.environment import unknown_variables
from daemon.configuration.merging import settings_from
from daemon.configuration.reading import ConfigError
from daemon.errors import BadInputError
from daemon.places import unkept_words
from daemon.settings import Settings
from daemon.wearers.retention import holdings
from inference.port import ClassifierError, MissingRuntimeError

Level = Literal["good", "note", "bad"]
MIN_FREE_BYTES = 500 * 1024 * 1024
MIN_YEAR = 2026
LIBRARIES = (
    "numpy",
    "scipy",
    "brainflow",
    "pylsl",
    "ai-edge-litert",
    "aiomqtt",
    "av",
    "miniaudio",
    "nicegui",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``mend`` says what to do, where something is to be done."""

    what: str
    level: Level
    text: str
    mend: str = ""


def examine(config: str | None = None, profile: str | None = None) -> Iterator[Finding]:
    """Every finding, as it is made. A check that itself fails is a finding too."""
    settings: Settings | None = None
    if line := unknown_variables():
        yield Finding("configuration", "note", line, "mend or unset what is named")
    try:
        settings = settings_from({"config": config, "profile": profile})
        there = settings.config_path or "no file, the defaults are in force"
        yield Finding("configuration", "good", there)
    except ConfigError as error:
        for problem in error.problems:
            yield Finding("configuration", "bad", problem, "mend the line named")
    except BadInputError as error:
        yield Finding("configuration", "bad", str(error), "mend what is named")
    asked = settings or Settings(state_dir=str(places.state_dir()), cache_dir=str(places.cache_dir()))
    for check in CHECKS:
        try:
            yield from check(asked)
        except Exception as error:  # noqa: BLE001 - the doctor must not fall ill
            yield Finding(check.__name__.strip("_"), "bad", f"could not be checked: {error}"[:300])


def _versions(_: Settings) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info >= (3, 11)
    yield Finding(
        "python", "good" if good else "bad", version, "" if good else "install Python 3.11 or newer"
    )
    missing = []
    for name in LIBRARIES:
        try:
            importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    text = ", ".join(missing) + " missing" if missing else f"{len(LIBRARIES)} found"
    yield Finding(
        "libraries", "bad" if missing else "good", text, "install the package anew" if missing else ""
    )


def _libvlc(_: Settings) -> Iterator[Finding]:
    from player.deck import DeckError
    from player.decks.vlc_deck import REMEDY, libvlc_version

    mend = f"{REMEDY} (without it PyAV plays radio, too, and mends fewer broken connections)"
    try:
        yield Finding("libVLC", "good", libvlc_version())
    except DeckError as error:
        yield Finding("libVLC", "note", str(error)[:200], mend)


def _readers(_: Settings) -> Iterator[Finding]:
    """Libraries without which the music plays all the same."""
    from acquisition.headsets.brainflow_source import load_brainflow
    from acquisition.lsl.discovery import load_lsl
    from inference.networks.litert_classifier import load_interpreter

    parts = {"liblsl": load_lsl, "BrainFlow": load_brainflow, "LiteRT": load_interpreter}
    for name, load in parts.items():
        try:
            load()
        except (MissingPartError, MissingRuntimeError) as error:
            yield Finding(name, "bad", error.missing, error.remedy)
        else:
            yield Finding(name, "good", "loads")


def _pyav(_: Settings) -> Iterator[Finding]:
    from player.reading.sound_opening import av_problem, decoder_version

    problem = av_problem()
    if problem is None:
        yield Finding("PyAV", "good", decoder_version())
    else:
        why, mend = problem.split("; ", 1)
        yield Finding("PyAV", "bad", why, mend)


def _audio(_: Settings) -> Iterator[Finding]:
    from player.outputs.device_sink import device_names
    from player.sink import SinkError

    try:
        with _hushed():  # sound servers that are not there complain on standard error
            devices = device_names()
    except SinkError as error:
        why, mend = str(error).split("; ", 1)
        yield Finding("sound", "bad", why, mend)
        return
    names = [f"{name} ({service})" for service, name in devices]
    if names:
        yield Finding("sound", "good", ", ".join(names)[:200])
        return
    nodes = Path("/dev/snd")
    mend = "plug one in, or play to a file with --output wav:FILE"
    if nodes.is_dir() and not any(os.access(path, os.W_OK) for path in nodes.glob("pcm*")):
        mend = f"let this user play: sudo usermod -aG audio {_user()}, then log in again"
    yield Finding("sound", "note", "no device: the music is played to nowhere until there is one", mend)


def _cues(settings: Settings) -> Iterator[Finding]:
    if settings.cues == "voice" and shutil.which("espeak-ng") is None:
        yield Finding(
            "cues", "note", "espeak-ng is missing: chimes are heard instead", "apt install espeak-ng"
        )


def _serial(_: Settings) -> Iterator[Finding]:
    ports = sorted([*Path("/dev").glob("ttyUSB*"), *Path("/dev").glob("ttyACM*")])
    closed = [str(port) for port in ports if not os.access(port, os.R_OK | os.W_OK)]
    if closed:
        mend = f"sudo usermod -aG dialout {_user()}, then log in again"
        yield Finding("serial", "bad", f"no permission for {', '.join(closed)}", mend)
    else:
        yield Finding("serial", "good", ", ".join(map(str, ports)) or "no serial headset plugged in")


def _bluetooth(_: Settings) -> Iterator[Finding]:
    adapters = sorted(path.name for path in Path("/sys/class/bluetooth").glob("hci*"))
    bus = Path("/run/dbus/system_bus_socket")
    if not adapters:
        yield Finding("bluetooth", "note", "no adapter", "only needed for headsets over Bluetooth")
    elif not bus.exists():
        yield Finding("bluetooth", "bad", "BlueZ is not reachable", "start it: systemctl start bluetooth")
    else:
        yield Finding("bluetooth", "good", ", ".join(adapters))


def _broker(settings: Settings) -> Iterator[Finding]:
    broker = settings.broker
    if not broker.named:
        from daemon.broker import mosquitto_binary

        own = mosquitto_binary()
        text = f"none configured: our own will be started ({own or 'embedded, MQTT 3.1.1'})"
        yield Finding("broker", "good" if own else "note", text, "" if own else "apt install mosquitto")
        return
    try:
        with socket.create_connection((broker.host, broker.port), timeout=3) as link:
            if broker.tls:
                from daemon.mqtt.transport.link import tls_context

                context = tls_context(broker)
                if context is not None:
                    context.wrap_socket(link, server_hostname=broker.host).close()
    except ssl.SSLError as error:
        mend = "check mqtt.ca_file and the broker's certificate: its name and its dates"
        yield Finding("broker", "bad", f"{broker.url}: {error.reason or error}", mend)
    except OSError as error:
        mend = "is it running, is the address right, is there a firewall? The music plays without it"
        yield Finding("broker", "bad", f"{broker.url}: {error.strerror or error}", mend)
    else:
        yield Finding("broker", "good", f"{broker.url} answers")


def _models(settings: Settings) -> Iterator[Finding]:
    from daemon.wiring.engine import model_roots
    from inference.networks.manifest import read_verified
    from inference.networks.model_store import ModelStore

    names, mend = [], "install the package anew, or: neuroplayer models remove NAME"
    store = ModelStore(tuple(model_roots(settings)))
    for problem in store.problems():
        yield Finding("models", "bad", problem[:300], mend)
    for manifest in store.list():
        try:
            for variant in manifest.files:
                read_verified(manifest, variant)
            names.append(manifest.name)
        except ClassifierError as error:
            yield Finding("models", "bad", str(error)[:300], mend)
    text = f"{', '.join(names)}: as their manifests say" if names else "none: the band-power rule is used"
    yield Finding("models", "good" if names else "note", text)


def _clock(_: Settings) -> Iterator[Finding]:
    year = time.gmtime().tm_year
    good = year >= MIN_YEAR
    mend = "" if good else "set it: timedatectl set-ntp true (TLS and the times of states depend on it)"
    yield Finding(
        "clock", "good" if good else "bad", time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime()), mend
    )


def _disk(settings: Settings) -> Iterator[Finding]:
    unkept = {folder.kind: folder for folder in places.unkept()}
    for what, path in (("state", Path(settings.state_dir)), ("cache", Path(settings.cache_dir))):
        if what in unkept:
            yield Finding(f"{what} folder", "bad", unkept_words(unkept[what]), _writable_again(unkept[what]))
            continue
        free = shutil.disk_usage(path).free
        if free < MIN_FREE_BYTES:
            text = f"{path}: {free // 1024**2} MB free"
            yield Finding(f"{what} folder", "note", text, "free some space: recordings stop when it is full")
        else:
            yield Finding(f"{what} folder", "good", f"{path}: {free / 1024**3:.1f} GB free")


def _wearers(settings: Settings) -> Iterator[Finding]:
    """What is known of people, for who wants less of it."""
    for one in holdings(Path(settings.state_dir)):
        recordings = f"{one.recordings} recording{'s' * (one.recordings != 1)}"
        size = f"{one.size_bytes / 1e6:.1f} MB in all"
        text = f"{one.wearer}: {recordings}, {one.histories} histories, {size}"
        yield Finding("kept", "good", f"{text}; delete with: neuroplayer forget --wearer {one.wearer}")


def _writable_again(folder: places.Unkept) -> str:
    other = f"name another one: NEUROPLAYER_{folder.kind.upper()}_DIR=FOLDER"
    mends: dict[places.Cause, str] = {
        "no_room": "free some space",
        "read_only": "mount it to be written",
        "no_home": "set HOME to a folder of yours",
        "not_ours": f"make it yours: sudo chown -R {_user()} {folder.wanted}",
    }
    mend = mends[folder.trouble.cause]
    return f"{mend}, or {other}"


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - no path of ours
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _user() -> str:
    return os.environ.get("USER") or "$USER"


CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    _versions,
    _libvlc,
    _readers,
    _pyav,
    _audio,
    _cues,
    _serial,
    _bluetooth,
    _broker,
    _models,
    _clock,
    _disk,
    _wearers,
)
