"""Where something lies on this machine is said to nobody else: the last part of its path is."""

from __future__ import annotations

import json
import logging
import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import places
from daemon.cli import main
from daemon.processes.logs import JsonFormatter, _HumanLines
from daemon.settings import Settings
from daemon.startup import headline
from player.location import printable_spec, printable_text

PARTS = st.text(st.characters(codec="ascii", categories=("L", "N"), include_characters="._-+"), min_size=1)
WORDS = st.lists(PARTS.filter(lambda part: part.strip(".")), min_size=1, max_size=3).map(" ".join)


@given(st.lists(WORDS, min_size=1, max_size=4), WORDS)
def test_a_sentence_holds_the_last_part_of_a_path_only(folders: list[str], name: str) -> None:
    path = "/".join(["", "home", "J03 D03", *folders, name])
    for sentence in (
        f"{path!r} is gone",
        f"{path}: gone",
        f"cannot open replay:{path}",
        f"see file://{path}",
    ):
        told = printable_text(sentence)
        assert "J03" not in told
        assert "D03" not in told
        assert name in told
    for spec in (f"wav:{path}", f"replay:{path}", path, f"device,wav:{path}"):
        assert "D03" not in printable_spec(spec)


@pytest.mark.parametrize("form", [_HumanLines("%(message)s"), JsonFormatter("engine")])
def test_a_log_says_neither_in_a_line_nor_in_a_trace(form: logging.Formatter) -> None:
    try:
        Path("/home/J03 D03/music/gone.wav").read_bytes()
    except OSError as error:
        trace = (type(error), error, error.__traceback__)
        text = "".join(traceback.format_exception(error))
    record = logging.LogRecord("x", logging.WARNING, "", 0, "%s", ("/home/J03 D03/a b.wav: gone",), trace)
    told = form.format(record)
    assert "D03" in text
    assert "D03" not in told
    assert str(Path(__file__).parent) not in told
    assert "gone.wav" in told


def test_the_headline_and_the_shown_configuration_hold_no_folder(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "J03 D03"
    music = folder / "Music"
    music.mkdir(parents=True)
    (music / "a.wav").write_bytes(b"RIFF")
    told = headline.headline(Settings(output=f"wav:{folder}/out.wav", source="simulated"))
    assert "out.wav" in "\n".join(told)
    path = places.config_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'[music]\nfolders = ["{music}"]\n[sound]\noutput = "wav:{folder}/out.wav"\n')
    path.chmod(0o600)
    assert main(["config", "show", "--json"]) == 0
    shown = capfd.readouterr().out
    assert json.loads(shown) == {"music.folders": ["Music"], "sound.output": "wav:out.wav"}
    assert main(["config", "show", "--paths"]) == 0
    assert str(music) in capfd.readouterr().out
    assert "D03" not in "\n".join(told) + shown
