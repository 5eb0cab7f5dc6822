"""The configuration: every problem at once with key, rule, value and line; file < environment < flags."""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import places
from daemon.cli import main
from daemon.configuration.environment import read_environment
from daemon.configuration.explained import template
from daemon.configuration.file import read_all, read_file
from daemon.configuration.keys import BY_NAME, KEYS
from daemon.configuration.merging import settings_from
from daemon.configuration.reading import ConfigError
from daemon.configuration.reloading import read_again
from daemon.errors import BadInputError
from daemon.settings import WebSettings


def _file(text: str, mode: int = 0o600) -> Path:
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def _problems(text: str, mode: int = 0o600) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refusal:
        read_file(_file(text, mode))
    return refusal.value.problems


def test_all_problems_are_named_at_once_with_line_key_rule_and_value() -> None:
    problems = _problems(
        'node = "Living Room"\n[music]\nvolume = 7\npolcy = "match"\n[mqtt]\nbroker = "http://x"\n'
        "[web]\nenabled = 1\n"
    )
    assert len(problems) == 5
    node, volume, policy, broker, web = problems
    assert "line 1: node must be 1 to 64 of" in node
    assert "'Living Room'" in node
    assert "line 3: music.volume must be a number from 0 to 1, got 7" in volume
    assert "line 4: music.polcy is no key of the configuration; did you mean music.policy?" in policy
    assert "line 6: mqtt.broker is wrong: broker 'http://x' must look like mqtt://HOST:PORT" in broker
    assert "line 8: web.enabled must be true or false, got 1" in web


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("node = ", "not TOML"),
        ("volume = 0.5", "did you mean music.volume"),
        ('[session]\nbaseline = "soon"', "5 to 600 seconds"),
        ("[music]\nvolume = nan", "from 0 to 1"),
        ("[music]\nvolume = true", "from 0 to 1"),
        ('[music]\nfolders = ["/no/such"]', "does not exist"),
        ("[music]\nfolders = [3]", "list of folders"),
        ('[mqtt]\npassword_file = "/no/such"', "must name a file"),
        ('[mqtt]\ncert_file = "/etc/hostname"', "needs both"),
        ('profile = "anna"', "the file has no profiles"),
        ('profile = "ana"\n[profiles.anna]\nnode = "a"', "one of anna"),
        ("[profiles.anna]\nnod = 1", "profiles.anna.nod is no key"),
        ("profiles = 3", "must be a table"),
        ('[home_assistant]\nprefix = "a/#"', "without wildcards"),
        ("health = 3", "is no key"),
    ],
)
def test_a_refusal_names_what_is_wrong(text: str, says: str) -> None:
    problems = _problems(text)
    assert any(says in problem for problem in problems), problems
    assert all("\n" not in problem for problem in problems)


def test_f38_secrets_others_can_read_are_refused(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x\n")
    secret.chmod(0o644)
    (problem,) = _problems(f'[mqtt]\npassword_file = "{secret}"')
    assert f"chmod 600 {secret}" in problem
    (problem,) = _problems('[mqtt]\npassword = "hush"', mode=0o644)
    assert "chmod 600" in problem
    assert "hush" not in problem


def test_a_password_is_never_shown(capfd: pytest.CaptureFixture[str]) -> None:
    _file('[mqtt]\nbroker = "mqtt://me:hush@host"\npassword = "hush2"\nusername = "me"\n')
    for arguments in (["config", "show"], ["config", "show", "--json"], ["config", "check"]):
        assert main(arguments) == 0
    out = capfd.readouterr()
    assert "hush" not in out.out + out.err
    assert "mqtt://host:1883" in out.out


def test_file_then_environment_then_flags(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("first line\nrest\n")
    secret.chmod(0o600)
    _file(
        f'node = "a"\n[music]\nvolume = 0.25\npolicy = "lead"\n[mqtt]\nbroker = "mqtts://far"\n'
        f'username = "me"\npassword_file = "{secret}"\n[web]\nlisten = "127.0.0.1:9000"\n'
        '[home_assistant]\ndiscovery = "device"\n[profiles.anna]\nnode = "anna"\nmusic.volume = 0.5\n'
    )
    monkeypatch.setenv("NEUROPLAYER_MUSIC_VOLUME", "0.75")
    monkeypatch.setenv("NEUROPLAYER_MUSIC_POLICY", "contrast")
    settings = settings_from({"policy": "manual"})
    assert (settings.node, settings.volume, settings.policy) == ("a", 0.75, "manual")
    assert settings.broker.url == "mqtts://far:8883"
    assert (settings.broker.username, settings.broker.password) == ("me", "first line")
    assert settings.broker.named
    assert settings.web == WebSettings(port=9000, named=True)
    assert settings.home_assistant.discovery == "device"
    monkeypatch.delenv("NEUROPLAYER_MUSIC_VOLUME")
    anna = settings_from({"profile": "anna"})
    assert (anna.node, anna.volume, anna.policy) == ("anna", 0.5, "contrast")
    flagged = settings_from({"broker": "mqtt://you:other@near"})
    assert (flagged.broker.username, flagged.broker.password) == ("you", "other")


def test_a_flag_of_zero_goes_over_the_file() -> None:
    _file("[session]\nseed = 7\n")
    assert settings_from({"seed": None}).seed == 7
    assert settings_from({"seed": 0}).seed == 0


def test_reading_anew_tells_what_starts_the_engine_again_and_what_must_wait() -> None:
    asked = settings_from({})
    _file('[session]\nlsl_out = "eeg"\nrecord = true\n[music]\nvolume = 0.5\n[sound]\noutput = "null"\n')
    found = read_again(asked)
    assert (found.restart, found.live, found.later) == (("engine",), ("volume",), ("output", "record"))
    again = read_again(found.settings)
    assert (again.restart, again.live, again.later) == ((), (), ())


def test_without_file_nothing_changes() -> None:
    settings = settings_from({})
    assert (settings.node, settings.source, settings.broker.named) == ("home", "simulated", False)
    assert settings.config_path is None
    with pytest.raises(BadInputError, match="cannot be read"):
        settings_from({"config": "/no/such.toml"})
    with pytest.raises(BadInputError, match="cannot be read"):
        settings_from({"profile": "anna"})


def test_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROPLAYER_MUSIC_VOLUME", "loud")
    _file("[music]\nvolum = 1")
    with pytest.raises(ConfigError) as refusal:
        read_all(places.config_file())
    assert len(refusal.value.problems) == 2
    assert "environment: music.volume must be a number from 0 to 1, got 'loud'" in refusal.value.problems
    assert read_environment({BY_NAME["web.enabled"].variable: "false"}) == {"web.enabled": False}


def test_init_writes_a_private_file_that_checks(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "init"]) == 0
    path = places.config_file()
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_file(path) == {}
    assert main(["config", "check"]) == 0
    assert main(["config", "init"]) == 2
    assert "--force" in capfd.readouterr().err
    assert main(["config", "init", "--force"]) == 0


def test_the_template_names_every_key_and_is_toml_without_its_marks() -> None:
    bare = [line.removeprefix("#") for line in template().splitlines() if not line.startswith("# ")]
    document = tomllib.loads("\n".join(bare))
    document.pop("profiles")
    names = {
        f"{section}.{name}" if isinstance(table, dict) else section
        for section, table in document.items()
        for name in (table if isinstance(table, dict) else [""])
    }
    assert names == {key.name for key in KEYS}


def test_check_tells_every_problem_on_its_own_line(capfd: pytest.CaptureFixture[str]) -> None:
    _file("a = 1\nb = 2\n")
    assert main(["config", "check"]) == 2
    assert main(["run"]) == 2
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(line.startswith("neuroplayer: ") for line in lines)


def test_show_says_so_when_nothing_is_set(capfd: pytest.CaptureFixture[str]) -> None:
    _file("# all by default\n")
    assert main(["config", "show"]) == 0
    assert capfd.readouterr().out.startswith("# nothing is set")


def test_show_is_json_for_scripts(capfd: pytest.CaptureFixture[str]) -> None:
    _file('node = "den"\n[session]\nbaseline = 60\n')
    assert main(["config", "show", "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"node": "den", "session.baseline": 60.0}


@given(st.binary(max_size=300) | st.text(alphabet="[]={}\"'\n.ab#1 ", max_size=200).map(str.encode))
def test_no_file_brings_anything_but_a_refusal(data: bytes) -> None:
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with contextlib.suppress(ConfigError):
        assert set(read_file(path)) <= set(BY_NAME)


def test_depth_and_size_are_bounded() -> None:
    assert "not TOML" in _problems("a = " + "[" * 5000)[0] or "deeply" in _problems("a = " + "[" * 5000)[0]
    assert "larger than" in _problems("#" + "x" * 300_000)[0]
    assert len(_problems("a." * 400 + "b = 1")) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a." * 50_000 + "b = 1", "line 1: a name has more than 16 parts"),
        ("[music]\n" + '"a" . ' * 40_000 + "b = 1", "line 2: a name has more than 16 parts"),
        ("[" + '"\\"".' * 40_000 + "b]", "line 1: a name has more than 16 parts"),
        ("x = {" + "a . " * 50_000 + "b = 1}", "line 1: a name has more than 16 parts"),
        ("x = {" * 150 + "a = 1" + "}" * 150, "no key of the configuration"),
        ("[health]\nport = " + "9" * 5000, "line 2: health.port has too many digits"),
        ("[health]\nport = " + "1_" * 4990 + "1", "line 2: health.port has too many digits"),
        (
            "[health]\nport = 0x" + "f" * 5000,
            "line 2: health.port must be a number from 1 to 65530, got a",
        ),
        ("node = 0x" + "f" * 5000, "line 1: node must be a text"),
        ("[music]\nfolders = [0x" + "f" * 5000 + "]", "line 2: music.folders must be a list"),
        ("profile = 0x" + "f" * 5000, "line 1: profile must name a profile"),
        ('"a\\n\\u001b[2Jb" = 1', "a [2Jb is no key"),
    ],
)
def test_what_no_configuration_holds_is_refused_at_once(text: str, says: str) -> None:
    (problem,) = _problems(text)
    assert says in problem
    assert problem.isprintable()
    assert len(problem) < 500


def test_of_a_file_full_of_faults_the_first_hundred_are_told() -> None:
    problems = _problems("\n".join(f"a{number} = 1" for number in range(20_000)))
    assert len(problems) == 101
    assert problems[-1] == "and 19900 problems more"


@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
def test_what_is_no_ordinary_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path("/dev/zero")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(path)
    assert main(["config", "check", "--config", str(path)]) == 2
