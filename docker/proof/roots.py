"""Debian roots made by mmdebstrap, and commands in them: the fresh machines of both proofs.

A root has nothing of this machine but what reaches the package registries: name service, authorities, and the
settings of apt, pip and uv. All of it is mounted in a mount namespace of the proof's own (``in_own_mounts``).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
IN_ROOT = "/etc/machine-authorities.crt"
TRIES = 3
KEPT_S = 7 * 24 * 3600.0
PIP_KEYS = ("index-url", "extra-index-url", "trusted-host", "proxy")
APT_KEYS = ("Acquire::http", "Acquire::https", "Acquire::Check", "Acquire::Retries")
UV_KEYS = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST", "UV_HTTP_TIMEOUT")


class RegistryGoneError(Exception):
    """A package registry did not answer, however often it was asked."""


def why_not() -> str | None:
    """Why no root can be made here, or None."""
    if os.geteuid() != 0:
        return "roots need root rights"
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is not installed (apt install mmdebstrap)"
    return None


def in_own_mounts() -> None:
    """Go on as the same program in a mount namespace of its own, so that nothing stays mounted."""
    if os.environ.get("NEUROPLAYER_PROOF") != "1":
        os.environ["NEUROPLAYER_PROOF"] = "1"
        script = [sys.executable, *sys.argv]
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *script])  # noqa: S606


def out_of(command: Sequence[str]) -> list[str]:
    """The lines that a command prints; none where it is missing or fails."""
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return []


def registry_settings() -> dict[str, str]:
    """The environment in which pip and uv of a root reach what those of this machine reach."""
    found = {key: os.environ[key] for key in (*UV_KEYS, "PIP_DEFAULT_TIMEOUT") if key in os.environ}
    found |= {key: value for key, value in os.environ.items() if key.lower().endswith("_proxy")}
    for line in out_of([sys.executable, "-m", "pip", "config", "list"]):
        name, _, value = line.partition("=")
        key = name.rpartition(".")[2]
        # an index on this machine's disk is not there in a root
        if key in PIP_KEYS and "file:" not in value:
            found["PIP_" + key.upper().replace("-", "_")] = value.strip("'")
    if {"PIP_CERT", "SSL_CERT_FILE"} & set(os.environ) and AUTHORITIES.exists():
        found |= {"PIP_CERT": IN_ROOT, "SSL_CERT_FILE": IN_ROOT}
    return found


@dataclass
class Root:
    """A root, and as whom, where and with which environment commands run in it."""

    path: Path
    user: str = "0"
    workdir: str = "/"
    environment: dict[str, str] = field(default_factory=dict)
    _mounted: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.environment = {
            "PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
        } | self.environment
        # never this machine's /dev: the root has nodes of its own
        self.mount("proc", "-t", "proc", "proc")
        shutil.copy(Path("/etc/resolv.conf").resolve(), self.path / "etc/resolv.conf")
        if AUTHORITIES.exists():
            shutil.copy(AUTHORITIES, self.path / IN_ROOT.lstrip("/"))
        apt = [line for line in out_of(["apt-config", "dump"]) if line.startswith(APT_KEYS)]
        (self.path / "etc/apt/apt.conf.d/90machine").write_text("".join(f"{line}\n" for line in apt))

    def mount(self, where: str, *arguments: str) -> None:
        """``mount ARGUMENTS`` onto a folder of the root, until ``close``."""
        target = self.path / where
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", *arguments, str(target)], check=True)
        self._mounted.append(target)

    def command(self, script: str, *around: str) -> list[str]:
        """The command line that runs a shell script in the root; ``around`` goes before it."""
        chroot = ["chroot", f"--userspec={self.user}:{self.user}", f"--groups={self.user}", str(self.path)]
        return [*around, *chroot, "/bin/sh", "-c", f'cd "{self.workdir}" || exit 1; {script}']

    def whole_environment(self) -> dict[str, str]:
        """The environment of a command, with what reaches the registries."""
        return registry_settings() | self.environment

    def shell(self, script: str, **options: object) -> subprocess.CompletedProcess[str]:
        """Run a shell script that ends at its first error. Raises CalledProcessError."""
        whole = self.whole_environment()
        command = self.command(f"set -e; {script}")
        return subprocess.run(command, check=True, text=True, env=whole, **options)  # type: ignore[call-overload, no-any-return]

    def apt(self, *packages: str) -> None:
        """Install Debian packages. Raises RegistryGoneError."""
        names = " ".join(packages)
        quiet = "DEBIAN_FRONTEND=noninteractive apt-get -qq"
        script = f"{quiet} update && {quiet} install -y --no-install-recommends {names} >/dev/null 2>&1"
        tried(lambda: self.shell(script), f"apt-get install {names}")

    def close(self) -> None:
        """End what still runs in the root, and unmount it."""
        end_all_at("root", self.path)
        for mounted in reversed(self._mounted):
            subprocess.run(["umount", "-l", str(mounted)], check=False)
        self._mounted.clear()


def end_all_at(link: str, folder: Path) -> None:
    """End every process whose ``root`` or ``cwd`` is this folder."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / link).readlink() == folder:
                os.kill(int(process.name), signal.SIGKILL)


def tried(step: object, what: str) -> None:
    """Do a step that asks a registry, up to three times. Raises RegistryGoneError."""
    for attempt in range(TRIES):
        try:
            step()  # type: ignore[operator]
        except subprocess.CalledProcessError:
            if attempt + 1 < TRIES:
                time.sleep(10.0 * (attempt + 1))
        else:
            return
    raise RegistryGoneError(f"{what} failed {TRIES} times")


def remove(folder: Path) -> None:
    """Delete a root, but nothing that is mounted in it."""
    subprocess.run(["rm", "-rf", "--one-file-system", str(folder)], check=True)


def prepared(folder: Path, suite: str, *packages: str) -> Path:
    """A minimal root of a Debian suite with these packages, kept in a folder and made anew every week.

    Raises RegistryGoneError.
    """
    kept = folder / "-".join((suite, *packages))
    if kept.exists() and time.time() - kept.stat().st_ctime < KEPT_S:
        return kept
    remove(kept)
    half = folder / "making"
    remove(half)
    command = ["mmdebstrap", "--quiet", "--variant=minbase", suite, str(half)]
    tried(lambda: subprocess.run(command, check=True), f"mmdebstrap {suite}")
    if packages:
        root = Root(half)
        try:
            root.apt(*packages)
        finally:
            root.close()
    half.rename(kept)
    return kept


def copied(source: Path, target: Path) -> Path:
    """A copy of a root, to be used up."""
    remove(target)
    subprocess.run(["cp", "-a", "--reflink=auto", str(source), str(target)], check=True)
    return target
