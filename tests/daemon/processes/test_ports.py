"""Ports that the product chooses by itself: two that start at one moment choose differently."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from daemon.processes import ports
from daemon.processes.ports import claim, is_free
from support.free_ports import free_ports_in_a_row

CHOOSE = (
    "import sys; from daemon.processes.ports import claim; "
    "print(claim(map(int, sys.argv[1:])), flush=True); input()"
)
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="claims are held by Linux")


@pytest.fixture
def row(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Three free ports; what is claimed of them is let go."""
    monkeypatch.setattr(ports, "_claims", held := {})
    first = free_ports_in_a_row(3)
    yield [first, first + 1, first + 2]
    for holder in held.values():
        holder.close()


@linux
def test_a_port_that_another_start_has_chosen_is_not_chosen_again(row: list[int]) -> None:
    command = [sys.executable, "-c", CHOOSE, *map(str, row)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert int(other.stdout.readline()) == row[0]
        assert is_free(row[0]), "it does not listen yet"
        assert claim(row) == row[1]
        other.kill()
    assert claim(row) == row[0], "its claim ended with it"
    assert claim(row) == row[2]
    assert claim(row) is None


def test_a_port_that_somebody_listens_on_is_not_chosen(row: list[int]) -> None:
    with socket.create_server(("127.0.0.1", row[0])):
        assert claim(row) == row[1]
