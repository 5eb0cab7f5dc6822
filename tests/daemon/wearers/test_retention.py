"""What is older than wished goes by itself, whole sessions at a time; what is not, stays."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from daemon.configuration.merging import settings_from
from daemon.diagnosis.doctor import CHECKS
from daemon.errors import BadInputError
from daemon.settings import Settings
from daemon.wearers.retention import DAY_S, drop_old, holdings
from daemon.wearers.wearer import Wearer

NOW_S = 1_800_000_000.0


def _lay(path: Path, age_days: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x" * 10)
    os.utime(path, (NOW_S - age_days * DAY_S,) * 2)
    return path


def test_old_sessions_go_with_all_that_lies_beside_them(tmp_path: Path) -> None:
    anna, bob = Wearer("anna", tmp_path), Wearer("bob", tmp_path)
    old = [
        _lay(anna.recordings / "2026-01-01T10-00-00Z-anna.xdf", 31),
        _lay(anna.recordings / "2026-01-01T10-00-00Z-anna.consent.json", 32),
        _lay(bob.history / "20260101T100000Z.jsonl", 40),
    ]
    kept = [
        _lay(anna.recordings / "2026-02-01T10-00-00Z-anna.xdf", 29),
        _lay(anna.recordings / "2026-02-01T10-00-00Z-anna.consent.json", 31),
        _lay(anna.recordings / "2026-02-02T10-00-00Z-anna.xdf.part", 0),
        _lay(bob.history / "20260201T100000Z.jsonl", 1),
        _lay(bob.labels, 400),
        _lay(bob.baselines / "0.json", 400),
    ]
    assert sorted(drop_old(tmp_path, 30, NOW_S)) == sorted(old)
    assert [path for path in old if path.exists()] == []
    assert all(path.exists() for path in kept)


def test_nothing_goes_unless_an_age_is_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings_from({}).keep_days is None
    monkeypatch.setenv("NEUROPLAYER_KEEP_DAYS", "30")
    assert settings_from({}).keep_days == 30
    monkeypatch.setenv("NEUROPLAYER_KEEP_DAYS", "0")
    with pytest.raises(BadInputError, match="keep_days must be a number from 1"):
        settings_from({})


def test_doctor_says_how_much_is_kept_of_whom(tmp_path: Path) -> None:
    _lay(Wearer("anna", tmp_path).recordings / "2026-01-01T10-00-00Z-anna.xdf", 1)
    assert [(one.wearer, one.recordings, one.size_bytes) for one in holdings(tmp_path)] == [("anna", 1, 10)]
    check = next(check for check in CHECKS if check.__name__ == "_wearers")
    (found,) = check(Settings(state_dir=str(tmp_path)))
    assert "anna: 1 recording, 0 histories" in found.text
