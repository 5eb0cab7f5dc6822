"""Proves that strangers get sound: fresh Debian roots in which the README's commands are typed as printed.

``make proof`` (as root, with mmdebstrap) does all; ``make proof ARGS=--quick`` one variant of each kind,
without the tests; ``--only WORD`` those with the word in their name. Each session is listened to: music 5 s
after the view's first line, no gap over 20 ms, states at an independent ``mosquitto_sub``. What was
typed and answered is in logs beside the roots, under $XDG_CACHE_HOME/neuroplayer-proof.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import platform
import re
import subprocess
import sys
import time
from pathlib import Path

from machines import Machine, Readme, Variant, variants, with_root, with_wheel
from roots import RegistryGoneError, Root, in_own_mounts, prepared, why_not
from session import ALONE, SESSION_S, Seen, listened, ran, tested

REPOSITORY = Path(__file__).resolve().parents[2]
TRIES = 3
HEADING = (
    "machine",
    "Python",
    "variant",
    "seconds to music",
    "gap (ms)",
    "states heard",
    "make test",
    "verdict",
)


def cache() -> Path:
    """Where roots and logs are kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    found = Path(home) / "neuroplayer-proof"
    found.mkdir(parents=True, exist_ok=True)
    return found


def interpreters() -> dict[str, str]:
    """This machine's Python 3.12 and 3.13, on PATH or among pyenv's."""
    script = 'for one in "$(command -v python$0)" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$0".*/bin/python; do'
    script += ' [ -x "$one" ] && "$one" -c "" 2>/dev/null && echo "$one" && exit; done'
    found = {}
    for version in ("3.12", "3.13"):
        done = subprocess.run(["sh", "-c", script, version], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout:
            found[version] = done.stdout.strip()
    return found


def step_done(
    step: str, machine: Machine, readme: Readme, log: Path, listener: list[str], seen: Seen
) -> None:
    """One step of a variant; an install that fails is tried again. Raises RegistryGoneError."""
    line = readme.line(step, SESSION_S)
    if step == "test":
        tested(machine, line, log, seen)
        return
    if machine.root is None:
        line = f"../environment/bin/neuroplayer run {readme.wav} --duration {SESSION_S}s"
    for _ in range(TRIES):
        around = ALONE if step == "listen offline" else ()
        if step == "run":
            began = ran(machine, line, log, listener, seen)
        else:
            began = listened(machine, line, log, listener, seen, *around)
        if began:
            return
        if (machine.folder / ".venv/.run-stamp").exists() or machine.root is None:
            break
        time.sleep(10)
    else:
        if not answers(machine):
            raise RegistryGoneError("the package registry does not answer")
    seen.faults.append(f"{step}: it never began (see {log.name})")


def answers(machine: Machine) -> bool:
    """Whether a package can be had from the registry at all."""
    line = ".venv/bin/python -m pip download -q --no-deps --no-cache-dir -d /tmp/probe click"
    done = subprocess.run(
        machine.typed(line), cwd=machine.folder, env=machine.environment, check=False, capture_output=True
    )
    return done.returncode == 0


def row(variant: Variant, folder: Path, listener: Path, readme: Readme, *, tests: bool) -> tuple[str, ...]:
    """Try one variant; returns its line of the table."""
    log = folder / "logs" / (re.sub(r"\W+", "-", f"{variant.suite} {variant.name}") + ".log")
    log.parent.mkdir(exist_ok=True)
    log.unlink(missing_ok=True)
    begin = (variant.suite, variant.python or "", variant.name)
    if variant.suite == "this machine" and variant.python is None:
        return (*begin, "", "", "", "", "skipped: no such interpreter here")
    seen, python, machine = Seen(), "", None
    try:
        machine = (with_root if variant.python is None else with_wheel)(variant, folder, REPOSITORY)
        python = version_of(machine, variant)
        for step in variant.steps:
            if step != "test" or tests:
                step_done(step, machine, readme, log, ["chroot", str(listener)], seen)
    except RegistryGoneError as error:
        return (variant.suite, python, variant.name, "", "", "", "", f"skipped: {error}")
    finally:
        if machine is not None:
            machine.close()
    music = "" if seen.to_music_s is None else f"{seen.to_music_s:.1f}"
    gap = "" if seen.gap_ms is None else f"{seen.gap_ms:.1f}"
    verdict = f"RED: {'; '.join(seen.faults)}" if seen.faults else "green"
    verdict += f" (load {seen.busy:.1f} a core)" if seen.busy > 1 else ""
    return (variant.suite, python, variant.name, music, gap, str(seen.states), seen.tests, verdict)


def version_of(machine: Machine, variant: Variant) -> str:
    """The version of the Python that runs the product there."""
    line = f"{variant.python or 'python3'} -c 'import platform; print(platform.python_version())'"
    return subprocess.run(
        machine.typed(line), env=machine.environment, text=True, capture_output=True, check=True
    ).stdout.strip()


def table(rows: list[tuple[str, ...]]) -> str:
    """The table, in Markdown."""
    whole = [HEADING, tuple("---" for _ in HEADING), *rows]
    return "".join(f"| {' | '.join(one)} |\n" for one in whole)


def kept(file: Path, rows: list[tuple[str, ...]]) -> None:
    """Write the table; lines of variants that were not tried this time stay."""
    before = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    old = [tuple(line.strip("| ").split(" | ")) for line in before if line.startswith("| ")][2:]
    named = {(one[0], one[2]): one for one in [*old, *rows]}
    head = f"# Fresh machines\n\nBy `make proof`, on {os.cpu_count()} cores of {platform.machine()}.\n\n"
    file.write_text(head + table(list(named.values())), encoding="utf-8")


def main() -> int:
    """Try every variant asked for; 1 where one is red."""
    parser = argparse.ArgumentParser(prog="make proof", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one variant of each kind, without the tests")
    parser.add_argument("--no-tests", action="store_true", help="without make test")
    parser.add_argument("--only", metavar="WORD", default="", help="variants with this word in their line")
    parser.add_argument("--out", metavar="FILE", type=Path, help="keep the table in a Markdown file, too")
    options = parser.parse_args()
    if (
        reason := why_not() or (None if (REPOSITORY / ".git").exists() else "this is no git checkout")
    ) is not None:
        sys.stdout.write(f"proof: skipped: {reason}\n")
        return 0
    in_own_mounts()
    folder = cache()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            listener = prepared(folder, "bookworm", "mosquitto-clients")
        except RegistryGoneError as error:
            sys.stdout.write(f"proof: skipped: {error}\n")
            return 0
        root = Root(listener)
        try:
            rows = tried_all(options, folder, listener)
        finally:
            root.close()
    whole = table(rows)
    sys.stdout.write(f"\n{whole}")
    if options.out is not None:
        kept(options.out, rows)
    return int(any("RED" in one[-1] for one in rows))


def tried_all(options: argparse.Namespace, folder: Path, listener: Path) -> list[tuple[str, ...]]:
    """The lines of the table, each also printed as it comes."""
    readme = Readme((REPOSITORY / "README.md").read_text(encoding="utf-8"))
    rows = []
    for variant in variants(interpreters()):
        if (options.quick and not variant.quick) or options.only not in f"{variant.suite} {variant.name}":
            continue
        began_s = time.monotonic()
        rows.append(row(variant, folder, listener, readme, tests=not (options.quick or options.no_tests)))
        took_s = time.monotonic() - began_s
        sys.stdout.write(f"{' | '.join(rows[-1])} ({took_s:.0f} s)\n")
        sys.stdout.flush()
    return rows


if __name__ == "__main__":
    sys.exit(main())
