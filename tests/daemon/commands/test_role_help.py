"""The help of a role names what the role uses, and every session option is taken all the same."""

from __future__ import annotations

import re

import click
import pytest

from daemon.cli import main
from daemon.commands.session import run
from daemon.settings import Settings, WebSettings


@pytest.mark.parametrize(
    ("role", "named", "left_out"),
    [
        ("engine", ("--source", "--lsl-out"), ("--output", "--cues", "--no-web")),
        ("player", ("--music", "--output", "--cues"), ("--lsl-out", "--baseline")),
        ("web", ("--web",), ("--source", "--baseline")),
        ("broker", ("--node",), ("--source", "--music", "--web")),
        ("view", ("--plain", "--json"), ("--source", "--music")),
        (
            "record",
            ("--source", "--lsl-out", "--json"),
            ("--music", "--cues", "--web", "--record", "--policy"),
        ),
        ("run", ("--source", "--music", "--web", "--json"), ()),
    ],
)
def test_help_names_what_the_role_uses(
    capfd: pytest.CaptureFixture[str], role: str, named: tuple[str, ...], left_out: tuple[str, ...]
) -> None:
    assert main([role, "--help"]) == 0
    listed = set(re.findall(r"^  (--[a-z-]+)", capfd.readouterr().out, re.MULTILINE))
    assert set(named) <= listed
    assert not set(left_out) & listed


def test_an_option_that_is_not_named_is_still_taken(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["broker", "--cues", "chime", "--node", "Not A Node"]) == 2
    assert "node" in capfd.readouterr().err


@pytest.mark.parametrize("option", [("--music", "."), ("--cues", "off"), ("--web", ":1"), ("--no-web",)])
def test_record_knows_no_option_of_music_or_page(
    capfd: pytest.CaptureFixture[str], option: tuple[str, ...]
) -> None:
    assert main(["record", *option]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("neuroplayer: No such option")
    assert option[0] in line


def test_the_defaults_that_are_named_are_the_settings_own() -> None:
    settings, web = Settings(), WebSettings()
    helps = {option.name: option.help or "" for option in run.params if isinstance(option, click.Option)}
    named = {name: found[1] for name, text in helps.items() if (found := re.search(r"default: (.+)\]", text))}
    assert named == {
        "speed": f"{settings.speed:g}",
        "output": settings.output,
        "cues": settings.cues,
        "node": settings.node,
        "baseline": f"{settings.baseline:g}",
        "policy": settings.policy,
        "seed": f"{settings.seed}",
        "web": f"{web.host}:{web.port}",
    }
