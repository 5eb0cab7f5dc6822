"""Every setting by its row: file, environment, flag, command, reload, completion, help, template, docs."""

from __future__ import annotations

import contextlib
import math
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.shell_completion import ShellComplete
from hypothesis import given
from hypothesis import strategies as st

from daemon import places
from daemon.cli import cli, main
from daemon.commands.session import run
from daemon.configuration import explained, rules
from daemon.configuration.environment import ELSEWHERE, read_environment, unknown_variables
from daemon.configuration.file import read_file
from daemon.configuration.keys import BY_NAME, KEYS, PREFIX, Key
from daemon.configuration.merging import settings_from
from daemon.configuration.reading import ConfigError
from daemon.configuration.reloading import read_again, setter
from daemon.errors import BadInputError
from daemon.home.entities import ENTITIES
from daemon.mqtt import codec
from daemon.mqtt.commands import COMMANDS
from daemon.settings import Settings
from player.choice.targets import POLICIES
from player.playback.playback import Playback

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "configuration.md"
OTHER: dict[str, Any] = {
    "session.speed": "max",
    "session.baseline": "last",
    "sound.output": "null",
    "node": "den",
    "home_assistant.prefix": "ha",
    "web.listen": "127.0.0.1:9000",
}
"""Good values of keys that have a default and a check of their own, from which none can be guessed."""
TOGETHER = {"mqtt.cert_file": ("mqtt.key_file",), "mqtt.key_file": ("mqtt.cert_file",)}
NOT_ASKED_FOR = {
    *("source_named", "again", "rest_again", "headline"),  # what a session finds out by itself
    *("duration_s", "view", "config_path", "profile", "flags"),  # of the command line alone
    *("state_dir", "cache_dir"),  # variables of their own
    *("record", "web"),  # made from a switch and more
}

every = pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
commanded = pytest.mark.parametrize("key", [key for key in KEYS if key.command], ids=lambda key: key.name)
with_flag = pytest.mark.parametrize("key", [key for key in KEYS if key.flag], ids=lambda key: key.name)


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home in which the examples of the rows exist."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Music").mkdir()
    for name in ("Music/a.wav", "home-ca.pem", "client.pem", "client.key", ".mqtt-password"):
        (tmp_path / name).write_text("x\n")
        (tmp_path / name).chmod(0o600)


def toml(text: str) -> Any:
    """The value that stands behind an equals sign."""
    return tomllib.loads(f"x = {text}")["x"]


def other(key: Key) -> Any:
    """A good value that is not the default."""
    default = toml(key.in_force) if key.in_force else None
    if isinstance(default, bool):
        return not default
    if words := rules.choices(key.kind):
        return next(word for word in words if word != default)
    if bounds := rules.limits(key.kind):
        return sum(bounds) / 2 if key.kind.__origin__ is float else int(bounds[1])
    return OTHER.get(key.name) or toml(key.example)


def wrong(key: Key) -> Any:
    """A value that breaks any rule."""
    return math.nan if rules.limits(key.kind) else "no\0thing"


def typed(key: Key, value: Any) -> list[str]:
    """The option as it is typed."""
    name = key.flag.split()[0]
    if isinstance(value, bool):
        return [name]
    return [word for one in (value if isinstance(value, list) else [value]) for word in (name, str(one))]


def written(values: dict[str, Any]) -> Path:
    """A configuration file with these values."""
    shown = {
        name: "nan" if value != value else msgspec.json.encode(value).decode()
        for name, value in values.items()
    }
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(f"{name} = {text}" for name, text in shown.items()))
    path.chmod(0o600)
    return path


def together(key: Key) -> dict[str, Any]:
    """The key's good value, with what must stand beside it."""
    return {name: other(BY_NAME[name]) for name in (key.name, *TOGETHER.get(key.name, ()))}


def in_force(settings: Settings, key: Key) -> Any:
    """What the key has set."""
    match key.name:
        case "session.record":
            return bool(settings.record)
        case "web.enabled":
            return settings.web is not None
        case "mqtt.password_file":
            return settings.broker.password
    found: Any = settings
    for name in key.field.split("."):
        found = getattr(found, name)
    return found


@every
def test_file_environment_and_flag_set_the_same(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    before = in_force(settings_from({}), key)
    path = written(together(key))
    by_file = in_force(settings_from({}), key)
    assert by_file != before
    path.unlink()
    value = other(key)
    text = ":".join(value) if isinstance(value, list) else msgspec.json.encode(value).decode().strip('"')
    with monkeypatch.context() as patched:
        patched.setenv(key.variable, text)
        assert in_force(settings_from({}), key) == by_file
    if key.flag:
        options = run.make_context("run", typed(key, value)).params
        assert in_force(settings_from(options), key) == by_file


@every
def test_what_a_profile_says_goes_over_the_file(key: Key) -> None:
    written({"node": "first"} | {f"profiles.anna.{name}": value for name, value in together(key).items()})
    before, after = settings_from({}), settings_from({"profile": "anna"})
    assert in_force(after, key) != in_force(before, key)


@every
def test_a_wrong_value_is_one_line_that_names_key_and_rule(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    value = "x\0y" if key.secret else wrong(key)
    with pytest.raises(ConfigError) as by_file:
        read_file(written({key.name: value}))
    with pytest.raises(ConfigError) as by_environment:
        read_environment({key.variable: str(value)})
    places.config_file().unlink()
    problems = [*by_file.value.problems, *by_environment.value.problems]
    assert len(problems) == 2
    assert f"line 1: {key.name} " in problems[0]
    assert problems[1].startswith(f"environment: {key.name} ")
    if key.flag and key.kind is not bool:
        with pytest.raises(BadInputError) as by_flag:
            settings_from(run.make_context("run", typed(key, str(value))).params)
        problems.append(str(by_flag.value))
        assert key.flag.split()[0].lstrip("-") in problems[-1]
    for problem in problems:
        assert problem.isprintable()
        assert " must " in problem or key.name == "music.folders"
        assert not key.secret or "y" not in problem.rpartition("got")[2]


@every
def test_a_change_is_in_force_when_the_row_says(key: Key) -> None:
    asked = settings_from({})
    written(together(key))
    found = read_again(asked)
    field = key.field.partition(".")[0]
    match key.effect:
        case "live":
            assert (found.live, found.restart, found.later) == ((field,), (), ())
            assert callable(setter(Playback, field)), "the playback takes it over"
        case "engine":
            assert (found.live, found.restart, found.later) == ((), ("engine",), ())
        case "later":
            assert (found.live, found.restart) == ((), ())
            assert len(found.later) == 1


@commanded
@given(value=st.floats(allow_nan=False) | st.integers(-200, 200) | st.sampled_from([1, 30, 120, *POLICIES]))
def test_a_command_takes_what_the_file_takes(key: Key, value: Any) -> None:
    """... and Home Assistant offers no more than that."""
    names = COMMANDS[key.command].__struct_fields__
    fields = {name: rules.type_of(name, COMMANDS[key.command]) for name in names}
    same = [name for name, kind in fields.items() if kind == key.kind] if key.check is None else ["name"]
    assert len(same) == 1
    if key.check is not None or isinstance(value, str) != bool(rules.choices(key.kind)):
        return
    taken, read = True, True
    with contextlib.suppress(BadInputError):
        read = False
        key.read(value)
        read = True
    with contextlib.suppress(codec.MessageError):
        taken = False
        codec.decode_command(key.command, msgspec.json.encode({same[0]: value}))
        taken = True
    assert taken == read


@commanded
def test_home_assistant_offers_what_the_command_takes(key: Key) -> None:
    (entity,) = [one for owner in ENTITIES.values() for one in owner if one.command == key.command]
    if bounds := rules.limits(key.kind):
        scale = 100 if entity.options.get("unit_of_measurement") == "%" else 1
        assert (entity.options["min"], entity.options["max"]) == tuple(scale * bound for bound in bounds)
    else:
        assert set(key.completions()) <= set(entity.options["options"])


@every
def test_a_default_is_what_is_in_force(key: Key) -> None:
    if not key.in_force:
        assert key.example, "what config init shows"
        assert key.read(toml(key.example)) is not None
        return
    written({key.name: toml(key.in_force)})
    told = in_force(settings_from({}), key)
    (places.config_file()).unlink()
    silent = in_force(settings_from({}), key)
    if key.name == "web.listen":
        told, silent = ((web.host, web.port) for web in (told, silent))
    assert told == silent


@every
def test_template_and_docs_name_it(key: Key) -> None:
    section, _, name = key.name.rpartition(".")
    page = explained.template()
    part = page.split(f"[{section}]\n")[1] if section else page
    assert f"#{name} = {key.in_force or key.example}\n" in part.partition("\n[")[0] + "\n"
    assert f"| `{key.name}` |" in PAGE.read_text("utf-8")


def test_the_docs_hold_the_table_as_it_is() -> None:
    text = PAGE.read_text("utf-8")
    assert f"{explained.BEGIN}\n{explained.table()}\n{explained.END}" in text, explained.BEGIN


@with_flag
def test_help_names_the_flag_its_text_and_its_default(key: Key, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--help"]) == 0
    said = " ".join(capfd.readouterr().out.split())
    text = f"{key.flag} {key.text}"
    if key.in_force and key.kind is not bool:
        text += f" [default: {key.in_force.strip(chr(34)).removesuffix('.0')}]"
    assert text in said


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["run", "--policy"], ["match", "lead", "contrast", "maintain", "manual", "album"]),
        (["render", "--policy"], ["match", "lead", "contrast", "maintain", "manual", "album"]),
        (["engine", "--source"], ["simulated", "lsl", "lsl:", "brainflow:", "replay:"]),
        (["record", "--source"], ["simulated", "lsl", "lsl:", "brainflow:", "replay:"]),
        (["calibrate", "--source"], ["simulated", "lsl", "lsl:", "brainflow:", "replay:"]),
        (["devices", "--preview"], ["simulated", "lsl", "lsl:", "brainflow:", "replay:"]),
        (["run", "--target"], ["relax", "focus", "energise", "sleep"]),
        (["player", "--cues"], ["off", "chime", "voice"]),
        (["run", "--baseline"], ["last", "none"]),
    ],
)
def test_the_shell_completes_values(words: list[str], offered: list[str]) -> None:
    shell = ShellComplete(cli, {}, "neuroplayer", "_NEUROPLAYER_COMPLETE")
    assert [item.value for item in shell.get_completions(words, "")] == offered
    begun = offered[-1][:2]
    found = [item.value for item in shell.get_completions(words, begun)]
    assert found == [word for word in offered if word.startswith(begun)]


@with_flag
def test_the_shell_completes_every_flag_that_takes_a_word(key: Key) -> None:
    shell = ShellComplete(cli, {}, "neuroplayer", "_NEUROPLAYER_COMPLETE")
    items = shell.get_completions(["run", key.flag.split()[0]], "") if " " in key.flag else []
    assert [item.value for item in items if item.type == "plain"] == list(key.completions() if items else ())


def test_every_field_has_its_row() -> None:
    named = {key.field.partition(".")[0] for key in KEYS}
    assert set(Settings.__struct_fields__) - named == NOT_ASKED_FOR - {"web"}


def test_variables_that_set_nothing_are_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert not unknown_variables({key.variable: "x" for key in KEYS} | {"NEUROPLAYER": "x", "PATH": "x"})
    assert not unknown_variables({f"{PREFIX}{name}": "x" for name in ELSEWHERE} | {"NEUROPLAYER_X": ""})
    line = unknown_variables({"NEUROPLAYER_MUSIC_VOLUM": "0.5", "NEUROPLAYER_\x1b[2J": "1"})
    assert "NEUROPLAYER_MUSIC_VOLUM; did you mean NEUROPLAYER_MUSIC_VOLUME?" in line
    assert line.isprintable()
    many = unknown_variables({f"NEUROPLAYER_Q{number}": "x" for number in range(1000)})
    assert "and 995 more" in many
    assert len(many) < 600
    monkeypatch.setenv("NEUROPLAYER_MUSIC_VOLUM", "0.5")
    assert main(["config", "check"]) == 0
    told, unset = capfd.readouterr().err.splitlines(), "NEUROPLAYER_MUSIC_VOLUM"
    assert [unset in one for one in told] == [True]
    assert main(["run", "--baseline", "soon"]) == 2
    assert [unset in one for one in capfd.readouterr().err.splitlines()] == [True, False]


def test_the_variables_that_are_read_elsewhere_are_known() -> None:
    read = {
        name
        for package in ("acquisition", "daemon", "inference", "models", "player")
        for path in (ROOT / package).rglob("*.py")
        for name in re.findall(rf'"{PREFIX}([A-Z_]+)"', path.read_text("utf-8"))
    }
    assert {name for name in read if PREFIX + name not in {key.variable for key in KEYS}} == set(ELSEWHERE)


SETTING = "    loudness_db: Annotated[float, Meta(ge=-40, le=0)] = -14.0\n"
ROW = '    Key("sound.loudness_db", "loudness_db", flag="--loudness DB", text="How loud."),\n'
PROOF = """
import os, sys
from daemon.cli import main
from daemon.configuration.explained import table, template
from daemon.configuration.merging import settings_from
from daemon.configuration.reloading import read_again
asked = settings_from({"loudness": "-20"})
assert asked.loudness_db == -20, asked
assert "#loudness_db = -14.0" in template()
assert "| `sound.loudness_db` | `--loudness DB` | `-14.0` | at the next start | How loud. " in table()
os.environ["NEUROPLAYER_SOUND_LOUDNESS_DB"] = "-30"
assert settings_from({}).loudness_db == -30
assert read_again(settings_from({"loudness": "-20"})).later == ()
assert main(["run", "--loudness", "7"]) == 2
assert main(["run", "--help"]) == 0
"""


def test_a_new_setting_is_a_field_and_a_row(tmp_path: Path) -> None:
    for package in ("acquisition", "daemon", "inference", "player"):
        leave = shutil.ignore_patterns("__pycache__", "checkpoints")
        shutil.copytree(ROOT / package, tmp_path / "copy" / package, ignore=leave)
    for name, before, line in (
        ("daemon/settings.py", "    cues: AnnouncementKind", SETTING),
        ("daemon/configuration/keys.py", "KEYS: tuple[Key, ...] = (\n", ROW),
    ):
        path = tmp_path / "copy" / name
        text = path.read_text("utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, before + line if before.endswith("\n") else line + before))
    done = subprocess.run(
        [sys.executable, "-c", PROOF],
        cwd=tmp_path / "copy",
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "--loudness must be a number from -40 to 0, got '7'" in done.stderr
    assert "--loudness DB" in done.stdout
    assert "[default: -14]" in done.stdout
