"""Runs a command without some parts of this machine: in a mount namespace where their files are not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

_HIDE = """
set -e
scratch="$1"; shift
number=0
while [ "$1" != -- ]; do
    folder="$1"; shift
    number=$((number + 1))
    whole="$scratch/whole$number"; left="$scratch/left$number"
    mkdir "$whole" "$left"
    mount --bind "$folder" "$whole"
    cp -as "$whole/." "$left/"
    while [ "$1" != , ]; do
        find "$left" -mindepth 1 -maxdepth 1 -name "$1" -exec rm -rf {} +
        shift
    done
    shift
    mount --bind "$left" "$folder"
done
shift
# the loader's own list of libraries names what is gone
if ldconfig="$(command -v ldconfig || command -v /sbin/ldconfig)"; then
    "$ldconfig" -X -C "$scratch/ld.so.cache"
    mount --bind "$scratch/ld.so.cache" /etc/ld.so.cache
fi
exec "$@"
"""


def run_without(
    hidden: Mapping[Path, Sequence[str]], command: Sequence[str], scratch: Path, timeout_s: float = 240.0
) -> subprocess.CompletedProcess[str]:
    """Run a command where these patterns are not in these folders. Skips where that cannot be done."""
    if shutil.which("unshare") is None or subprocess.run(["unshare", "-rm", "true"], check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    scratch.mkdir()
    arguments: list[str] = []
    for folder, names in hidden.items():
        arguments += [str(folder), *names, ","]
    return subprocess.run(
        ["unshare", "-rm", "sh", "-c", _HIDE, "hide", str(scratch), *arguments, "--", *command],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        cwd=Path(__file__).resolve().parents[2],
    )


def library_folder(name: str) -> Path:
    """Where the loader finds this library. Skips where it does not: then there is nothing to hide."""
    listed = subprocess.run(
        [shutil.which("ldconfig") or "/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False
    ).stdout
    for line in listed.splitlines():
        if line.split()[:1] == [name]:
            return Path(line.rpartition("=> ")[2]).resolve().parent
    pytest.skip(f"{name} is not here")
