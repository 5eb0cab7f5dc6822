"""Carries out docker/Dockerfile step by step in fresh Debian roots, where no Docker engine runs.

As root on Debian with mmdebstrap: ``make docker-proof``. Each stage begins from the same minimal root, RUN is
a shell in it, COPY is a copy, and at the end the product runs in it as the image's user and says states.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
SUITES = {"debian:bookworm-slim": "bookworm", "debian:trixie-slim": "trixie"}
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
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


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command; an error ends the proof."""
    return subprocess.run(command, check=True, text=True, **options)  # type: ignore[call-overload, no-any-return]


class Stage:
    """One stage of the image: a root, its environment, where it works and as whom."""

    def __init__(self, root: Path) -> None:
        self.root, self.workdir, self.user = root, "/", "0"
        self.environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
        run(["mount", "-t", "proc", "proc", str(root / "proc")])  # never /dev: the root has its own nodes
        shutil.copy(Path("/etc/resolv.conf").resolve(), root / "etc/resolv.conf")

    def shell(self, script: str, **options: object) -> subprocess.CompletedProcess[str]:
        """A shell in the root, as RUN has it. The machine's own authorities are trusted meanwhile."""
        environment = dict(self.environment)
        whole = f"cd {self.workdir}; {script}"
        if AUTHORITIES.exists():
            (self.root / "tmp/ca.crt").write_bytes(AUTHORITIES.read_bytes())
            environment |= {"PIP_CERT": "/tmp/ca.crt", "SSL_CERT_FILE": "/tmp/ca.crt"}  # noqa: S108
        return run(
            [*f"chroot --userspec={self.user}:{self.user} {self.root} /bin/sh -ec".split(), whole],
            env=environment,
            **options,
        )


class Builder:
    """Knows the instructions this Dockerfile uses; any other is an error."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stages: dict[str, Stage] = {}
        self.stage: Stage
        self.command: list[str] = []

    def do(self, word: str, rest: str) -> None:
        """Carry out one instruction."""
        sys.stdout.write(f"{word} {rest[:100]}\n")
        sys.stdout.flush()
        getattr(self, f"_{word.lower()}")(rest)

    def _from(self, rest: str) -> None:
        image, _, name = rest.partition(" AS ")
        base = self._folder / SUITES[image]
        if not base.exists():
            run(["mmdebstrap", "--quiet", "--variant=minbase", SUITES[image], str(base)])
        root = self._folder / f"stage-{len(self._stages)}"
        run(["cp", "-a", str(base), str(root)])
        self.stage = self._stages[name or "last"] = Stage(root)

    def _workdir(self, rest: str) -> None:
        self.stage.workdir = rest
        (self.stage.root / rest.lstrip("/")).mkdir(parents=True, exist_ok=True)

    def _run(self, rest: str) -> None:
        self.stage.shell(rest)

    def _copy(self, rest: str) -> None:
        words = rest.split()
        source = REPOSITORY
        if words[0].startswith("--from="):
            source = self._stages[words.pop(0).removeprefix("--from=")].root
        *names, target = words
        whole = target if target.startswith("/") else f"{self.stage.workdir}/{target}"
        where = self.stage.root / whole.lstrip("/")
        if target.endswith("/"):
            where.mkdir(parents=True, exist_ok=True)
        for name in names:
            run(["cp", "-a", "--no-preserve=ownership", str(source / name.lstrip("/")), str(where)])

    def _env(self, rest: str) -> None:
        self.stage.environment |= dict(pair.split("=", 1) for pair in rest.split())

    def _user(self, rest: str) -> None:
        self.stage.user = rest

    def _volume(self, rest: str) -> None:
        json.loads(rest)

    def _entrypoint(self, rest: str) -> None:
        self.command = json.loads(rest)

    def _cmd(self, rest: str) -> None:
        self.command += json.loads(rest)


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
    """Build and try, in a mount namespace of its own so that nothing stays mounted."""
    if os.geteuid() != 0 or shutil.which("mmdebstrap") is None:
        sys.stderr.write("docker-proof: needs root and mmdebstrap (apt install mmdebstrap)\n")
        return 2
    if os.environ.get("NEUROPLAYER_PROOF") != "1":
        os.environ["NEUROPLAYER_PROOF"] = "1"
        script = [sys.executable, __file__]
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", *script])  # noqa: S606
    with tempfile.TemporaryDirectory(prefix="neuroplayer-proof-", ignore_cleanup_errors=True) as folder:
        builder = Builder(Path(folder))
        try:
            for word, rest in instructions((REPOSITORY / "docker/Dockerfile").read_text(encoding="utf-8")):
                builder.do(word, rest)
            smoke(builder)
        finally:
            for mounted in Path(folder).glob("stage-*/proc"):
                subprocess.run(["umount", "-l", str(mounted)], check=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
