"""Work in a child: its answer, and every way it can go wrong."""

from __future__ import annotations

import time

import pytest

from models.files.child import ChildError, run_child

LOOP = "while True: pass"
FATAL = "import ctypes; ctypes.string_at(0)"


def test_the_answer_is_the_standard_output() -> None:
    assert run_child("timeit", ["-n", "1", "-r", "1", "print(42)"], timeout_s=60).startswith(b"42")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (LOOP, "took too long"),
        (FATAL, "crashed .SIGSEGV"),
        ("bytearray(3_000_000_000)", "failed: MemoryError"),
        ("raise ValueError('no such thing')", "failed: ValueError: no such thing"),
    ],
)
def test_each_failure_is_one_line(code: str, says: str) -> None:
    with pytest.raises(ChildError, match=says):
        run_child("timeit", ["-n", "1", code], timeout_s=60, cpu_s=1, memory_bytes=2_000_000_000)


def test_a_child_that_hangs_is_ended() -> None:
    began = time.monotonic()
    with pytest.raises(ChildError, match=r"took longer than 0.5 s"):
        run_child("timeit", ["-n", "1", "import time; time.sleep(60)"], timeout_s=0.5)
    assert time.monotonic() - began < 30
