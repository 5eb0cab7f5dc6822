"""``neuroplayer doctor``: what this machine has, what it lacks, and how to mend it."""

from __future__ import annotations

import click
import msgspec

MARKS = {"good": "ok  ", "note": "note", "bad": "BAD "}


@click.command()
@click.option("--config", metavar="FILE", help="Another configuration file than the usual one.")
@click.option("--profile", metavar="NAME", help="With this profile on top.")
@click.option("--json", "as_json", is_flag=True, help="One JSON list.")
def doctor(config: str | None, profile: str | None, as_json: bool) -> int:
    """Look at versions, libVLC, sound, permissions, broker, networks, clock and disk.

    Changes nothing. Exit status: 0 all that is needed is there, 1 something must be mended.
    """
    from daemon.diagnosis.doctor import examine

    findings = []
    for finding in examine(config, profile):
        findings.append(finding)
        if not as_json:
            click.echo(f"{MARKS[finding.level]}  {finding.what}: {finding.text}")
            if finding.mend:
                click.echo(f"        -> {finding.mend}")
    if as_json:
        click.echo(msgspec.json.encode(findings).decode())
    return 1 if any(finding.level == "bad" for finding in findings) else 0
