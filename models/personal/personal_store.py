"""Versions of the wearer's own networks: each in a folder of its own, one in use, every step reversible.

``FOLDER/NAME/manifest.json`` is what the live side finds; names end in the time they were made.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from inference.networks.manifest import MANIFEST, Manifest, read_manifest
from inference.networks.model_store import ModelStore
from models.conversion.manifest_writing import CARD, convert_into
from models.emotion_recognition_model import EmotionRecognitionModel
from models.errors import ModelsError
from models.files.provenance import timestamped
from models.files.writing import read_json, whole_file, whole_folder, write_json

VALENCE = "valence.json"
"""What a running engine reads valence by: a copy of the version in use lies beside the networks."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


@dataclass(frozen=True, slots=True)
class PersonalStore:
    """``folder`` holds the versions; ``live`` is the store that running engines look into."""

    folder: Path
    live: ModelStore

    def versions(self) -> tuple[Manifest, ...]:
        """All versions, oldest first."""
        found = [read_manifest(path) for path in sorted(self.folder.glob(f"*/{MANIFEST}"))]
        return tuple(sorted(found, key=lambda manifest: manifest.version))

    def add(
        self, base: Manifest, model: EmotionRecognitionModel, examples: Any, card: Mapping[str, Any]
    ) -> Manifest:
        """Quantise, describe and store a version; it is not in use until ``use`` says so.

        ``examples`` are the wearer's own (n, sequence_length, n_features). Raises ``ModelsError``.
        """
        name = timestamped(f"{base.name}-personal")
        # for the wearer's eyes only: the golden inputs are made from their EEG
        with whole_folder(self.folder / name, 0o700) as draft:
            version = name.rsplit("_", 1)[1]
            described = msgspec.structs.replace(base, name=name, version=version, temperature=1.0)
            made = convert_into(draft, described, model.network, examples, "personal")
            plain = {file.variant: file.as_json() | {"path": Path(file.path).name} for file in made}
            write_json(draft / CARD, {**card, "name": name, "base": base.name, "files": plain})
            model.save_model(draft / "personal.keras")
        return read_manifest(self.folder / name / MANIFEST)

    def use(self, name: str | None) -> None:
        """Prefer that version from now on, in running engines too; None goes back to the shipped networks.

        Raises ``ClassifierError`` for a name that is not there.
        """
        self.live.select(name)

    def use_valence(self, name: str | None) -> None:
        """Have the next session read that version of valence; None: valence is unknown again.

        Nothing of the versions is deleted. Raises ``ModelsError`` for a name that is not there.
        """
        live = self.live.roots[0] / VALENCE
        if name is None:
            live.unlink(missing_ok=True)
            return
        path = self.folder / "valence" / name / VALENCE
        if _NAME.fullmatch(name) is None or not path.is_file():
            known = ", ".join(self.valence_versions()) or "none"
            raise ModelsError(f"no valence calibration named {name!r:.80}: one of {known}")
        live.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(live) as draft:
            draft.write_bytes(path.read_bytes())
        live.chmod(0o600)

    def valence_versions(self) -> tuple[str, ...]:
        """The wearer's calibrations of valence, oldest first."""
        found = [path.parent for path in self.folder.glob(f"valence/*/{VALENCE}")]
        return tuple(sorted(path.name for path in found))

    def valence_in_use(self) -> str | None:
        """Which of them the next session reads."""
        with contextlib.suppress(OSError):
            live = (self.live.roots[0] / VALENCE).read_bytes()
            for name in self.valence_versions():
                if (self.folder / "valence" / name / VALENCE).read_bytes() == live:
                    return name
        return None

    def remove(self, name: str) -> None:
        """Delete a version for good; the network in use falls back to the shipped one if it was this.

        Raises ``ModelsError`` for a name that is no personal version.
        """
        path = self.folder / name
        if _NAME.fullmatch(name) is None or not (path / MANIFEST).is_file():
            known = ", ".join(manifest.name for manifest in self.versions()) or "none"
            raise ModelsError(f"no personal network named {name!r:.80}: one of {known}")
        if self.live.selected() == name:
            self.live.select(None)
        shutil.rmtree(path)

    def card(self, name: str) -> Mapping[str, Any]:
        """The card of a version."""
        found = read_json(self.folder / name / CARD)
        return found if isinstance(found, dict) else {}
