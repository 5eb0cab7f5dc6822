"""Carries out docker/Dockerfile step by step in fresh Debian roots, where no Docker engine runs.

As root on Debian with mmdebstrap: ``make docker-proof``. Each stage begins from the same minimal root, RUN is
a shell in it, COPY is a copy, and at the end the product runs in it as the image's user and says states.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from roots import Root, copied, in_own_mounts, prepared, why_not

REPOSITORY = Path(__file__).resolve().parents[2]
SUITES = {"debian:bookworm-slim": "bookworm", "debian:trixie-slim": "trixie"}
SMOKE = "run --plain --json --output null --no-web --baseline none --duration 60s"


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Instruction and arguments, continued lines joined."""
    joined = ""
    for line in text.splitlines():
        if line.lstrip().startswith("#") or not line.strip():
            continue
        joined += line.rstrip("\\") if line.endswith("\\") else line
        if not line.endswith("\\"):
            word, _, rest = joined.strip().partition(" ")
            yield word.upper(), rest.strip()
            joined = ""


class Builder:
    """Knows the instructions this Dockerfile uses; any other is an error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stages: dict[str, Root] = {}
        self.stage: Root
        self.command: list[str] = []
        self.health: list[str] = []
        self.labels: dict[str, str] = {}

    def do(self, word: str, rest: str) -> None:
        """Carry out one instruction."""
        sys.stdout.write(f"{word} {rest[:100]}\n")
        sys.stdout.flush()
        getattr(self, f"_{word.lower()}")(rest)

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        base = prepared(self._folder, SUITES[image])
        root = copied(base, self._folder / f"stage-{len(self._stages)}")
        self.stage = self._stages[name or "last"] = Root(root)

    def _workdir(self, rest: str) -> None:
        self.stage.workdir = rest
        (self.stage.path / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _run(self, rest: str) -> None:
        self.stage.shell(rest)

    def _copy(self, rest: str) -> None:
        words = rest.split()
        source = REPOSITORY
        if words[0].startswith("--from="):
            source = self._stages[words.pop(0).removeprefix("--from=")].path
        *names, target = words
        whole = target if target.startswith("/") else f"{self.stage.workdir}/{target}"
        where = self.stage.path / whole.lstrip("/")
        if target.endswith("/"):
            where.mkdir(parents=True, exist_ok=True)
        for name in names:
            command = ["cp", "-a", "--no-preserve=ownership", str(source / name.lstrip("/")), str(where)]
            subprocess.run(command, check=True)

    def _env(self, rest: str) -> None:
        self.stage.environment |= dict(pair.split("=", 1) for pair in rest.split())

    def _user(self, rest: str) -> None:
        self.stage.user = rest

    def _volume(self, rest: str) -> None:
        json.loads(rest)

    def _label(self, rest: str) -> None:
        self.labels = dict(pair.split("=", 1) for pair in shlex.split(rest))

    def _healthcheck(self, rest: str) -> None:
        self.health = json.loads(rest.partition("CMD ")[2])

    def _entrypoint(self, rest: str) -> None:
        self.command = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self.command += json.loads(rest)

    def close(self) -> None:
        """Unmount the roots."""
        for root in self._stages.values():
            root.close()


def smoke(builder: Builder) -> None:
    """The image's program as the image's user: it says states and plays."""
    stage = builder.stage
    stage.environment["HOME"] = "/var/lib/neuroplayer"
    program = builder.command[0]
    stage.shell(f"id -u; {program} --version; {program} config check")
    out = stage.shell(f"{program} {SMOKE}", stdout=subprocess.PIPE).stdout
    documents = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    topics = {document["topic"] for document in documents}
    missing = {"emotion", "player/state", "session", "headset"} - topics
    if missing:
        raise SystemExit(f"docker-proof: not heard from the image: {missing}")
    sys.stdout.write(f"The image's steps hold: {len(documents)} messages on {len(topics)} topics\n")


def main() -> int:
    """Build and try."""
    if (reason := why_not()) is not None:
        sys.stderr.write(f"docker-proof: {reason}\n")
        return 2
    in_own_mounts()
    with tempfile.TemporaryDirectory(prefix="neuroplayer-proof-", ignore_cleanup_errors=True) as folder:
        builder = Builder(Path(folder))
        try:
            for word, rest in instructions((REPOSITORY / "docker/Dockerfile").read_text(encoding="utf-8")):
                builder.do(word, rest)
            smoke(builder)
        finally:
            builder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
