"""The table of headsets says what BrainFlow and the stored networks say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import models
from acquisition.headsets.devices import boards
from acquisition.montage import canonical
from acquisition.port import MissingPartError
from inference.networks.model_store import ModelStore

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "connect.md").read_text("utf-8")
TABLE = PAGE.split("| headset |", 1)[1].split("\n\n", 1)[0]
ROWS = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in TABLE.splitlines()[2:]]
BOARDS = [(board, row) for row in ROWS for board in re.findall(r"`(\w+_BOARD)`", row[1])]
ELECTRODE = re.compile(r"\b(?:Fp|AF|F|FC|C|CP|P|PO|O|T|TP)(?:z|\d+)\b")
STORE = ModelStore((Path(models.__file__).parent / "pretrained",))


def _reads(channels: tuple[str, ...]) -> str:
    chosen = STORE.choose_for(channels)
    return "none" if chosen is None else chosen.name


def test_each_row_has_its_cells() -> None:
    assert len(ROWS) > 12
    assert {len(row) for row in ROWS} == {6}


@pytest.mark.parametrize(("board", "row"), BOARDS, ids=[board for board, _ in BOARDS])
def test_a_board_has_the_electrodes_and_the_rate_of_its_row(board: str, row: list[str]) -> None:
    try:
        known = {one.source: one for one in boards()}
    except MissingPartError as error:
        pytest.skip(str(error))
    found = known[f"brainflow:{board}"]
    assert row[4] == f"{found.rate_hz:g} Hz"
    named = {channel for channel in found.channels if not channel.startswith("CH")}
    if "those, and" in row[2]:
        assert set(ELECTRODE.findall(row[2])) == named - set(known["brainflow:CYTON_BOARD"].channels)
    else:
        assert set(ELECTRODE.findall(row[2])) == named
    if named:
        assert _reads(found.channels) in row[3]


@pytest.mark.parametrize("headset", ["EPOC", "Insight", "PiEEG"])
def test_what_streams_over_lsl_is_read_by_the_network_of_its_row(headset: str) -> None:
    row = next(row for row in ROWS if headset in row[0])
    channels = tuple(map(canonical, ELECTRODE.findall(row[2])))
    assert _reads(channels) in row[3]


@pytest.mark.parametrize("board", sorted(set(re.findall(r"brainflow:(\w+_BOARD)\b", PAGE))))
def test_every_board_of_the_commands_is_one_of_brainflows(board: str) -> None:
    try:
        assert f"brainflow:{board}" in {one.source for one in boards()}
    except MissingPartError as error:
        pytest.skip(str(error))
