"""One lock for every Python: what is tested on one of them holds on the others."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("requirements.lock", "requirements-run.lock")
PIN = re.compile(
    r"^(?P<name>[\w.-]+)==(?P<version>[\w.+!-]+)(?:\s*;\s*(?P<marker>[^\\]+?))?\s*\\?$", re.MULTILINE
)


def pins(text: str) -> dict[str, set[str]]:
    """Every version that a lock has of each package, whatever the marker."""
    found: dict[str, set[str]] = defaultdict(set)
    for pin in PIN.finditer(text):
        found[pin["name"]].add(pin["version"])
    return dict(found)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_package_has_one_version_for_every_python(lock: str) -> None:
    found = pins((ROOT / lock).read_text("utf-8"))
    assert len(found) > 20
    assert {name: sorted(versions) for name, versions in found.items() if len(versions) > 1} == {}


def test_two_versions_by_python_are_seen() -> None:
    text = (
        "av==18.1.0 ; python_full_version < '3.12' \\\n    --hash=sha256:00\n"
        "av==19.0.2 ; python_full_version >= '3.12' \\\n    --hash=sha256:01\n"
    )
    assert pins(text) == {"av": {"18.1.0", "19.0.2"}}


def test_the_run_lock_is_a_part_of_the_whole_one() -> None:
    whole, run = (pins((ROOT / lock).read_text("utf-8")) for lock in LOCKS)
    assert {name: versions for name, versions in run.items() if whole.get(name) != versions} == {}
