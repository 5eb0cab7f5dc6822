"""The fresh machines of the proof: which root, which user, which folder, and what is typed there."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from roots import Root, copied, end_all_at, prepared, remove, tried

NEEDED = ("make", "python3")
"""What the README asks for."""
UNASKED = ("make", "python3", "python3-venv")
"""The same where nobody may install what is missing."""
WEARER = "1000"
SUITES = {"Debian 12": "bookworm", "Debian 13": "trixie"}
README_RUN = re.compile(r"^make run +(?:#.*)?$", re.MULTILINE)
README_TEST = re.compile(r"^make test\b", re.MULTILINE)
README_WAV = re.compile(
    r'^make run ARGS="(?P<options>--output wav:session\.wav) --duration \d+s"$', re.MULTILINE
)


@dataclass(frozen=True)
class Variant:
    """One way to be a stranger. ``steps``: what is done, in order; ``listen``: the recorded session."""

    name: str
    suite: str
    steps: tuple[str, ...] = ("listen",)
    user: str = WEARER
    folder: str = "/home/wearer/neuroplayer"
    clone: bool = True
    read_only_home: bool = False
    python: str | None = None
    quick: bool = False


def variants(pythons: dict[str, str]) -> list[Variant]:
    """Every variant; ``pythons`` are this machine's interpreters by version, for the wheel."""
    found = []
    for debian in SUITES:
        bookworm = debian == "Debian 12"
        found += [
            Variant("root", debian, ("listen", "run", "test"), "0", "/root/neuroplayer", quick=bookworm),
            Variant("plain user, nothing may be installed", debian, ("listen", "run"), quick=not bookworm),
            Variant(
                "spaces, umlauts, no git",
                debian,
                folder="/home/wearer/Musik für Zwölf/näher ran",
                clone=False,
            ),
            Variant("no network after the install", debian, ("run", "listen offline")),
            Variant("read-only HOME", debian, folder="/srv/neuroplayer", read_only_home=True),
        ]
    return found + [
        Variant(
            f"the wheel on {version}", "this machine", python=pythons.get(version), quick=version == "3.13"
        )
        for version in ("3.12", "3.13")
    ]


@dataclass
class Readme:
    """The commands as the README prints them. Raises SystemExit where it prints others."""

    text: str
    wav: str = field(init=False)

    def __post_init__(self) -> None:
        wav = README_WAV.search(self.text)
        if wav is None or not README_RUN.search(self.text) or not README_TEST.search(self.text):
            raise SystemExit("proof: the README no longer prints the commands that are proved here")
        self.wav = wav["options"]

    def line(self, step: str, seconds: int) -> str:
        """What is typed at a step; of the recorded session only the length is another."""
        if step.startswith("listen"):
            return f'make run ARGS="{self.wav} --duration {seconds}s"'
        return f"make {step}"


@dataclass
class Machine:
    """A machine to type at: a root, or this machine itself for the wheel."""

    folder: Path
    root: Root | None
    environment: dict[str, str]

    def typed(self, line: str, *around: str) -> list[str]:
        """The command that types a line in the product's folder; ``around`` goes before it."""
        if self.root is not None:
            return self.root.command(line, *around)
        return [*around, "/bin/sh", "-c", line]

    def close(self) -> None:
        """End what still runs there, and delete it."""
        if self.root is not None:
            self.root.close()
            remove(self.root.path)
        else:
            end_all_at("cwd", self.folder)
            remove(self.folder.parent)


def exported(repository: Path, target: Path, *, clone: bool) -> None:
    """The committed product in a folder: a clone, or an archive without git."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if clone:
        subprocess.run(
            [
                "git",
                "-c",
                "advice.detachedHead=false",
                "clone",
                "-q",
                "--no-hardlinks",
                str(repository),
                str(target),
            ],
            check=True,
        )
        return
    target.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(repository), "archive", "HEAD"], check=True, capture_output=True
    )
    subprocess.run(["tar", "-x", "-C", str(target)], input=archive.stdout, check=True)


def with_root(variant: Variant, folder: Path, repository: Path) -> Machine:
    """A fresh root with the product in it. Raises RegistryGoneError."""
    packages = NEEDED if variant.user == "0" else UNASKED
    path = copied(prepared(folder, SUITES[variant.suite], *packages), folder / "machine")
    root = Root(path, workdir=variant.folder)
    where = path / variant.folder.lstrip("/")
    exported(repository, where, clone=variant.clone)
    if variant.user != "0":
        subprocess.run(["chroot", str(path), "useradd", "--uid", variant.user, "-U", "wearer"], check=True)
        (path / "home/wearer").mkdir(exist_ok=True)
        subprocess.run(
            ["chown", "-R", f"{variant.user}:{variant.user}", str(path / "home"), str(where)], check=True
        )
        root.user, root.environment["HOME"] = variant.user, "/home/wearer"
    root.mount("dev/shm", "-t", "tmpfs", "tmpfs")
    root.mount("dev/pts", "-t", "devpts", "-o", "newinstance,ptmxmode=0666", "devpts")
    if variant.read_only_home:
        root.mount("home/wearer", "-t", "tmpfs", "-o", "ro", "tmpfs")
    return Machine(where, root, root.whole_environment())


def with_wheel(variant: Variant, folder: Path, repository: Path) -> Machine:
    """The wheel in a clean environment of one of this machine's interpreters, away from the checkout.

    Raises RegistryGoneError.
    """
    here = folder / "wheel"
    remove(here)
    exported(repository, here / "source", clone=False)
    pip = [f"{here}/environment/bin/python", "-m", "pip"]
    subprocess.run([str(variant.python), "-m", "venv", f"{here}/environment"], check=True)
    wheel = [*pip, "wheel", "-q", "--no-deps", "-w", f"{here}/dist", f"{here}/source"]
    tried(lambda: subprocess.run(wheel, check=True), "pip wheel")
    made = str(next((here / "dist").glob("*.whl")))
    tried(lambda: subprocess.run([*pip, "install", "-q", made], check=True), "pip install")
    elsewhere = here / "elsewhere"
    elsewhere.mkdir()
    return Machine(
        elsewhere,
        None,
        {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(elsewhere), "LC_ALL": "C.UTF-8"},
    )
