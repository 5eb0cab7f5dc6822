"""Deletes what is known of the wearer: raw EEG, everything derived from it, and what the broker keeps."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from daemon.mqtt import topics
from daemon.mqtt.link import MqttLink
from daemon.places import LOG_FILE, own_networks, own_valence
from daemon.settings import BrokerSettings
from player.choice.taste import FILE_NAME as TASTE
from player.playback.resume_point import FILE_NAME as PLACE

RAW = ("recordings",)
DERIVED = ("baselines", "labels.jsonl", "history", "nicegui", LOG_FILE, TASTE, PLACE)
"""In the state folder: rests, what the wearer said to feel, histories, likes, bans, the place reached."""
RETAINED = (topics.HEADSET, topics.SIGNAL, topics.EMOTION, topics.SESSION, topics.PLAYER_STATE)
BROKER_S = 5.0


@dataclass
class Forgotten:
    """What was deleted, and what could not be."""

    files: list[tuple[Path, int]] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def what_is_known(state_dir: Path) -> list[Path]:
    """Every file of the wearer's, in order."""
    found: list[Path] = []
    for path in _places(state_dir):
        if path.is_symlink() or path.is_file():
            found.append(path)
        elif path.is_dir():
            found += sorted(_files(path))
    return found


def summary(state_dir: Path, known: Sequence[Path]) -> list[str]:
    """How many files there are of each kind, and where."""
    places: dict[Path, list[int]] = {}
    for path in known:
        inside = path.relative_to(state_dir).parts if path.is_relative_to(state_dir) else ()
        place = state_dir / inside[0] if inside else path.parent
        with contextlib.suppress(OSError):
            places.setdefault(place, []).append(path.lstat().st_size)
    return [
        f"{place}: {len(sizes)} file{'s' * (len(sizes) != 1)}, {sum(sizes)} bytes"
        for place, sizes in sorted(places.items())
    ]


def forget_files(state_dir: Path, done: Forgotten) -> None:
    """Delete them. A recording in progress notices within a second and stops."""
    for path in what_is_known(state_dir):
        try:
            size = path.lstat().st_size
            path.unlink()
            done.files.append((path, size))
        except OSError as error:
            done.failures.append(f"{path}: {error.strerror or error}")
    for place in _places(state_dir):
        if place.is_dir() and not place.is_symlink() and place.is_relative_to(state_dir):
            shutil.rmtree(place, ignore_errors=True)


async def forget_topics(broker: BrokerSettings, node: str, done: Forgotten) -> None:
    """Have the broker forget what it keeps of the wearer: an empty retained message replaces each."""
    names = topics.Topics(node)
    link = MqttLink(broker, f"neuroplayer-{node}-forget", hear=lambda *_: None, subscriptions=[])
    async with link:
        try:
            await asyncio.wait_for(link.connected.wait(), timeout=BROKER_S)
        except TimeoutError:
            done.failures.append(f"{broker.url}: cannot be reached, so what it keeps was not deleted")
            return
        for name in RETAINED:
            link.keep(names.full(name), b"")
            done.topics.append(names.full(name))


def _places(state_dir: Path) -> list[Path]:
    from models.files.folders import personalized

    own = {personalized(), own_networks(state_dir)[1]}
    return [*(state_dir / name for name in (*RAW, *DERIVED)), own_valence(state_dir), *sorted(own)]


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if (path.is_symlink() or not path.is_dir()) and path.name != ".gitkeep":
            yield path
