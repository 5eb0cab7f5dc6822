"""What is said of a broker that cannot be reached."""

from __future__ import annotations

import pytest

from daemon.mqtt.transport.outage import MANY, LinkTrouble, Outage

BROKE = LinkTrouble.BROKEN
REFUSED = "[Errno 111] Connection refused"
URL = "mqtt://127.0.0.1:1883"


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outage(clock: Clock) -> Outage:
    return Outage(URL, "the music goes on", clock)


def test_each_outage_is_told_once_and_its_end_once(
    outage: Outage, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage.over()
    assert not caplog.messages, "a start as it should be is no news"
    for number in (1, 2):
        clock.now_s += 60
        outage.failed("away", BROKE)
        for _ in range(5):
            clock.now_s += 1
            outage.failed("away", REFUSED)
        outage.over()
        gone, back = caplog.messages
        again = "" if number == 1 else " again (2 times so far)"
        after = "trying again, soon at first, later every half minute"
        assert (
            gone == f"the broker at {URL} is gone{again} (the connection broke); the music goes on; {after}"
        )
        assert back == f"the broker at {URL} is back after 5 s"
        caplog.clear()


def test_a_broker_that_is_only_starting_is_no_news_and_one_that_stays_away_is(
    outage: Outage, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage.failed("away", REFUSED)
    clock.now_s += 1.0
    outage.failed("away", REFUSED)
    assert not caplog.messages
    clock.now_s += 1.0
    outage.failed("away", REFUSED)
    assert caplog.messages[0].startswith(f"no broker is reached at {URL} (Connection refused); the music")
    clock.now_s += 10.0
    outage.over()
    assert caplog.messages[1:] == [f"the broker at {URL} is there after 12 s"]


def test_another_cause_in_the_same_outage_is_told_at_once(
    outage: Outage, caplog: pytest.LogCaptureFixture
) -> None:
    outage.failed("refused", "[code:135] Not authorized")
    outage.failed("refused", "[code:135] Not authorized")
    outage.failed("untrusted", "certificate verify failed: expired")
    refused, untrusted = caplog.messages
    assert refused.startswith(f"the broker at {URL} does not let us in (Not authorized)")
    assert refused.endswith("trying again every half minute")
    assert untrusted.startswith(f"the broker at {URL} cannot be trusted (certificate verify failed: expired)")


def test_a_broker_that_comes_and_goes_is_told_in_equal_words_for_the_log_to_count(
    outage: Outage, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage.over()
    for number in range(3 * MANY):
        clock.now_s += 7.0 + number
        outage.failed("away", BROKE)
        clock.now_s += number
        outage.over()
    assert len(caplog.messages) == 6 * MANY
    assert len(set(caplog.messages)) == 2 * MANY + 2
