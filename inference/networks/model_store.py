"""Stored networks: found by manifest, pinned by hash, never parsed before the hash is checked."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from inference.networks.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, map_channels, read_manifest
from inference.port import ClassifierError

SELECTION = "selected.json"


class _Selection(msgspec.Struct, frozen=True):
    name: str | None


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The folders that hold networks, each in a folder of its own with a ``manifest.json``."""

    roots: tuple[Path, ...]

    def list(self) -> tuple[Manifest, ...]:
        """Every readable manifest, in order of name; the first root wins a name."""
        return self._read()[0]

    def problems(self) -> tuple[str, ...]:
        """One line for each manifest that cannot be used, and why."""
        return self._read()[1]

    def _read(self) -> tuple[tuple[Manifest, ...], tuple[str, ...]]:
        found: dict[str, Manifest] = {}
        problems: list[str] = []
        for path in self._paths():
            try:
                manifest = read_manifest(path)
                found.setdefault(manifest.name, manifest)
            except ClassifierError as error:
                problems.append(str(error))
        return tuple(found[name] for name in sorted(found)), tuple(problems)

    def _paths(self) -> tuple[Path, ...]:
        return tuple(path for root in self.roots for path in sorted(root.glob(f"*/{MANIFEST}")))

    def signature(self) -> tuple[object, ...]:
        """Changes when a network is added, replaced, removed or selected; cheap enough for once a second."""
        stats = []
        for path in (*self._paths(), *self._selection()):
            with contextlib.suppress(OSError):
                stat = path.stat()
                stats.append((str(path), stat.st_mtime_ns, stat.st_size))
        return tuple(stats)

    def get(self, name: str) -> Manifest:
        """The network of that name. Raises ``ClassifierError`` naming those there are."""
        manifests = {manifest.name: manifest for manifest in self.list()}
        if name not in manifests:
            raise ClassifierError(f"no network named {name!r}: one of {', '.join(manifests) or 'none'}")
        return manifests[name]

    def select(self, name: str | None) -> None:
        """Prefer one network from now on, in this and every running engine; None goes back to choosing by
        montage. Raises ``ClassifierError`` for a name that is not there, ``OSError`` where
        the folder cannot be written.
        """
        if name is not None:
            self.get(name)
        for path in self._selection():
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(".part")
            partial.write_text(json.dumps({"name": name}), encoding="utf-8")
            partial.replace(path)

    def selected(self) -> str | None:
        """The name of the preferred network, if there is one."""
        for path in self._selection():
            with contextlib.suppress(OSError, msgspec.MsgspecError):
                return msgspec.json.decode(path.read_bytes()[:MAX_MANIFEST_BYTES], type=_Selection).name
        return None

    def _selection(self) -> tuple[Path, ...]:
        return tuple(root / SELECTION for root in self.roots[:1])

    def choose_for(self, channels: Sequence[str]) -> Manifest | None:
        """The selected network where it fits, else the one with the most electrodes of which all, or declared
        substitutes, are there.
        """
        fitting = [m for m in self.list() if map_channels(m, channels) is not None]
        selected = self.selected()
        preferred = next((m for m in fitting if m.name == selected), None)
        return preferred or max(fitting, key=lambda m: len(m.channels), default=None)
