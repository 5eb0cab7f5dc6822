"""What is said on standard error: once, then counted; for people or as JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from daemon.processes.logs import QUIET_S, JsonFormatter, OnceThenQuiet, in_format, start_logging
from daemon.settings import LogSettings


def _record(text: str = "the broker is away") -> logging.LogRecord:
    return logging.LogRecord("daemon.x", logging.WARNING, "f", 1, text, None, None)


def test_equal_lines_are_said_once_then_counted() -> None:
    now = [0.0]
    quiet = OnceThenQuiet(clock=lambda: now[0])
    assert [quiet.filter(_record()) for _ in range(4)] == [True, False, False, False]
    assert quiet.filter(_record("something else"))
    now[0] = QUIET_S + 1
    again = _record()
    assert quiet.filter(again)
    assert again.getMessage() == "the broker is away (3 times more in between)"


def test_what_is_remembered_is_bounded() -> None:
    quiet = OnceThenQuiet(clock=lambda: 0.0)
    assert all(quiet.filter(_record(str(number))) for number in range(1000))
    assert len(quiet._said) <= 256


def test_json_lines() -> None:
    line = json.loads(JsonFormatter("engine").format(_record()))
    assert (line["role"], line["level"], line["message"]) == ("engine", "warning", "the broker is away")
    said = json.loads(in_format("supervisor", LogSettings(format="json"), "engine ended"))
    assert said["message"] == "engine ended"
    assert in_format("supervisor", LogSettings(format="json"), '{"a":1}') == '{"a":1}'


@pytest.fixture
def loggers() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("loggers")
def test_a_role_logs_as_configured(capfd: pytest.CaptureFixture[str]) -> None:
    start_logging("player", LogSettings(format="json", level="info"))
    logging.getLogger("x").info("hello")
    start_logging("player", LogSettings())
    logging.getLogger("x").info("not said")
    logging.getLogger("x").warning("said")
    json_line, human = capfd.readouterr().err.splitlines()
    assert json.loads(json_line)["message"] == "hello"
    assert human == "player: said"
