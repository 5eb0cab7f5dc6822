"""Whose file lies where, and how what earlier versions kept flat comes there and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from daemon.configuration.merging import settings_from
from daemon.errors import BadInputError
from daemon.settings import Settings
from daemon.wearers.moving import MOVED, move_in
from daemon.wearers.wearer import (
    FOLDER,
    Wearer,
    WearerError,
    checked_wearer,
    wearer_of,
    wearer_of_file,
    wearers_in,
)

FLAT = {
    "baselines/0123.json": "a rest",
    "labels.jsonl": "{}",
    "taste.json": "{}",
    "player-place.json": "{}",
    "models/valence.json": "{}",
    "models/selected.json": "{}",
    "models/personalized/one/manifest.json": "{}",
    "recordings/2026-01-01T10-00-00Z-home.xdf": "eeg of home",
    "recordings/2026-01-01T10-00-00Z-home-2.xdf": "more of it",
    "recordings/2026-01-01T10-00-00Z-home.consent.json": "yes",
    "recordings/2026-01-01T10-00-00Z-home.decisions.jsonl": "{}",
    "recordings/2026-01-02T10-00-00Z-bob.xdf": "eeg of bob",
    "recordings/2026-01-02T10-00-00Z-bob.consent.json": "yes",
    "recordings/2026-01-03T10-00-00Z-room-2.xdf": "eeg of room-2",
    "recordings/bob.under-way.json": "{}",
    "history/20260101T100000Z.jsonl": '{"k":"start","t":1,"node":"home","simulated":true}\n',
    "history/20260102T100000Z.jsonl": '{"k":"start","t":1,"node":"bob","simulated":true}\n',
    "history/20260103T100000Z.jsonl": "nothing that can be read\n",
}
NOT_THEIRS = {"web-token": "secret", "models/trained/manifest.json": "{}", "nicegui/x.json": "{}"}


def _lay(state: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (state / name).parent.mkdir(parents=True, exist_ok=True)
        (state / name).write_text(text)


def _all(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_the_flat_layout_moves_to_whom_it_names_and_back(tmp_path: Path) -> None:
    _lay(tmp_path, FLAT | NOT_THEIRS)
    move_in(Wearer("home", tmp_path))
    found = _all(tmp_path)
    wearers = {name.split("/")[1] for name in found if name.startswith(f"{FOLDER}/") and name.count("/") > 1}
    assert wearers == {"home", "bob", "room-2"}
    assert {name: found[name] for name in NOT_THEIRS} == NOT_THEIRS
    assert sorted(found.values()) == sorted(
        [*FLAT.values(), *NOT_THEIRS.values(), found[f"{FOLDER}/{MOVED}"]]
    )
    bob = {name for name in found if name.startswith(f"{FOLDER}/bob/")}
    assert bob == {
        f"{FOLDER}/bob/recordings/2026-01-02T10-00-00Z-bob.xdf",
        f"{FOLDER}/bob/recordings/2026-01-02T10-00-00Z-bob.consent.json",
        f"{FOLDER}/bob/recordings/bob.under-way.json",
        f"{FOLDER}/bob/history/20260102T100000Z.jsonl",
    }
    assert not (tmp_path / "recordings").exists()
    assert move_in(Wearer("bob", tmp_path)) == 0, "once is enough"
    for line in found[f"{FOLDER}/{MOVED}"].splitlines():  # the way back, as the docs have it
        move = json.loads(line)
        (tmp_path / move["source"]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / move["to"]).rename(tmp_path / move["source"])
    flat = {name: text for name, text in _all(tmp_path).items() if not name.startswith(FOLDER)}
    assert flat == FLAT | NOT_THEIRS


def test_what_is_there_already_is_not_overwritten(tmp_path: Path) -> None:
    home = Wearer("home", tmp_path)
    _lay(tmp_path, {"labels.jsonl": "old", "wearers/home/labels.jsonl": "new"})
    assert move_in(home) == 0
    assert (tmp_path / "labels.jsonl").read_text() == "old"
    assert home.labels.read_text() == "new"


def test_a_link_is_moved_and_not_followed(tmp_path: Path) -> None:
    state, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    _lay(elsewhere, {"x.json": "not ours"})
    state.mkdir()
    (state / "baselines").symlink_to(elsewhere)
    move_in(Wearer("home", state))
    assert (state / FOLDER / "home" / "baselines").is_symlink()
    assert _all(elsewhere) == {"x.json": "not ours"}


def test_the_wearer_is_the_node_unless_one_is_named(tmp_path: Path) -> None:
    state = str(tmp_path)
    assert wearer_of(Settings(node="room", state_dir=state)).name == "room"
    assert wearer_of(Settings(node="room", wearer="anna", state_dir=state)).name == "anna"
    guests = {wearer_of(Settings(node=node, wearer="guest", state_dir=state)).name for node in ("a", "b")}
    assert len(guests) == 2, "two guests at once are two"
    assert settings_from({"wearer": "anna"}).wearer == "anna"
    with pytest.raises(BadInputError, match="--wearer must be 1 to 64 of the characters"):
        settings_from({"wearer": "../bob"})


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "Anna", "-", "__", "a" * 65, "\u200b", "guest-home", "a\n"]
)
def test_no_folder_bears_such_a_name(name: str) -> None:
    with pytest.raises(WearerError):
        checked_wearer(name)


def test_a_file_tells_whose_it_is(tmp_path: Path) -> None:
    anna = Wearer("anna", tmp_path)
    assert wearer_of_file(anna.recordings / "x.xdf", tmp_path) == anna
    assert wearer_of_file(Path("/elsewhere/x.xdf"), tmp_path).name == "home"
    _lay(
        tmp_path, {"wearers/anna/labels.jsonl": "", "wearers/bob/labels.jsonl": "", "wearers/moved.jsonl": ""}
    )
    assert [wearer.name for wearer in wearers_in(tmp_path)] == ["anna", "bob"]
