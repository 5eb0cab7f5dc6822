"""Which windows a late engine leaves out: none for a moment's sake, the oldest when it is late for good."""

from __future__ import annotations

from inference.load_shedding import FRESH_S, LIMIT_S, PATIENCE_WINDOWS, SHORT_LIMIT_S, SILENT_S, LatestWins

HOP_S = 0.5


class _Reader:
    """Reads windows that come every hop; reading one takes ``costs_s``, leaving one out ``leaves_s``."""

    def __init__(self, behind_s: float = 0.0) -> None:
        self.now_s = self._next_s = 0.0
        self.now_s += behind_s
        self.rule = LatestWins(lambda end_s: max(0.0, self.now_s - end_s), lambda: self.now_s)
        self.ages_s: list[float] = []
        self.read_at_s: list[float] = []

    def read(self, windows: int, costs_s: float, leaves_s: float = 0.0) -> list[bool]:
        """Whether each was left out."""
        said = []
        for _ in range(windows):
            self.now_s = max(self.now_s, self._next_s)
            left_out = self.rule(self._next_s)
            self.now_s += leaves_s if left_out else costs_s
            if not left_out:
                self.ages_s.append(self.now_s - self._next_s)
                self.read_at_s.append(self.now_s)
            self._next_s += HOP_S
            said.append(left_out)
        return said


def test_in_time_every_window_is_read() -> None:
    reader = _Reader()
    assert not any(reader.read(200, 0.4))
    assert reader.rule.now_late_s == 0
    assert reader.rule.left_out == 0


def test_what_waited_during_a_stop_is_worked_off_in_order() -> None:
    reader = _Reader(behind_s=10.0)
    assert not any(reader.read(100, 0.01))
    assert reader.rule.now_late_s == 0


def test_who_is_too_slow_for_good_reads_the_newest_and_never_falls_far_behind() -> None:
    reader = _Reader()
    said = reader.read(400, 0.8)
    assert 0 < sum(said) == reader.rule.left_out
    assert max(reader.ages_s) < LIMIT_S + 2.0 + 0.8
    assert max(reader.ages_s[30:]) <= SHORT_LIMIT_S + 0.8 + 1e-9, "no patience twice"
    worst = _Reader()
    worst.rule = LatestWins(lambda _end_s: 0.0)
    worst.read(400, 0.8)
    assert worst.ages_s[-1] > 100, "without the rule it would be as late as this"


def test_one_that_takes_seconds_reads_the_newest_again_and_again() -> None:
    reader = _Reader()
    said = reader.read(400, 5.0)
    assert sum(said) > 300
    assert len(reader.ages_s) > 30
    assert max(reader.ages_s) < LIMIT_S + (PATIENCE_WINDOWS + 1) * 5.0
    assert max(reader.ages_s[8:]) <= SHORT_LIMIT_S + 5.0


def test_after_leaving_out_it_goes_on_with_a_fresh_one() -> None:
    reader = _Reader()
    said = reader.read(100, 0.8)
    first = said.index(True)
    after = said.index(False, first)
    assert reader.ages_s[said[:after].count(False)] <= FRESH_S + 0.8
    assert not any(reader.read(20, 0.01)[-10:]), "and reads each once it can"


def test_where_leaving_out_does_not_help_states_are_late_but_said() -> None:
    reader = _Reader(behind_s=30.0)
    reader.read(300, 0.7, leaves_s=0.6)
    apart_s = [b - a for a, b in zip(reader.read_at_s, reader.read_at_s[1:], strict=False)]
    assert reader.rule.left_out > 100
    assert max(apart_s) < SILENT_S + 2.0
