from __future__ import annotations

import pytest

from daemon.terminal.trail import Trail, rows_of_dots


def test_values_are_held_until_the_next_and_unknown_stays_empty() -> None:
    trail = Trail(span_s=10.0)
    trail.add(0.0, 0.5)
    trail.add(4.0, None)
    trail.add(8.0, -0.5)
    assert trail.columns(10.0, 5) == [0.5, 0.5, None, None, -0.5]


def test_old_points_leave_on_the_left() -> None:
    trail = Trail(span_s=10.0)
    trail.add(0.0, 0.5)
    trail.add(10.0, -1.0)
    assert trail.columns(15.0, 2) == [0.5, -1.0]


def test_an_empty_trail() -> None:
    assert Trail(10.0).columns(5.0, 3) == [None, None, None]


@pytest.mark.parametrize(("value", "row"), [(1.0, 0), (-1.0, 3), (5.0, 0)])
def test_high_is_up(value: float, row: int) -> None:
    rows = rows_of_dots([value, None], 4)
    assert [line != "\u2800" for line in rows] == [number == row for number in range(4)]


def test_a_jump_is_joined() -> None:
    rows = rows_of_dots([1.0, -1.0], 3)
    assert all(line != "\u2800" for line in rows)
