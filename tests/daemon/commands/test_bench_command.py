"""``neuroplayer bench latency``: real roles, a real broker, a subscriber in another process."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from daemon.broker import mosquitto_binary
from daemon.cli import main
from daemon.commands.bench import bench

STAGES = {"filter", "quality", "features", "classify", "settle", "compute", "last sample to subscriber"}


@pytest.mark.broker
@pytest.mark.parametrize("sessions", [1, 3])
def test_it_tells_every_stage_of_every_window(sessions: int) -> None:
    if mosquitto_binary() is None:
        pytest.skip("Mosquitto is not installed")
    options = ["latency", "--sessions", str(sessions), "--seconds", "4", "--json"]
    result = CliRunner().invoke(bench, options, standalone_mode=False)
    document = json.loads(result.output)
    assert document["sessions"] == sessions
    assert document["windows"] >= 2 * sessions
    assert set(document["ms"]) >= STAGES
    assert all(0 <= figures["p50"] <= figures["p99"] for figures in document["ms"].values())
    assert document["ms"]["last sample to subscriber"]["p50"] > document["ms"]["compute"]["p50"] / 2


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--sessions", "0"], "--sessions must be 1 to 500, got 0"),
        (["--seconds", "1"], "--seconds must be 3 to 3600, got 1"),
    ],
)
def test_bad_options_are_refused_in_a_line(
    options: list[str], rule: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "latency", *options]) == 2
    assert rule in capsys.readouterr().err
