"""Commands are heard at the rate at which people send them."""

from __future__ import annotations

import pytest

from daemon.rate_limit import HEAVY, LIGHT, CommandRate, Limit


@pytest.mark.parametrize(("name", "limit"), [("volume", LIGHT), *HEAVY.items()])
def test_a_burst_is_heard_and_a_flood_is_not(name: str, limit: Limit) -> None:
    now_s = [5.0]
    rate = CommandRate(lambda: now_s[0])
    assert sum(rate.allows(name) for _ in range(1000)) == limit.burst
    assert sum(rate.allows("skip") for _ in range(1000)) == LIGHT.burst, (
        "each command has a bucket of its own"
    )
    heard = 0
    for _ in range(20_000):
        now_s[0] += 0.01
        heard += sum(rate.allows(name) for _ in range(3))
    assert heard == pytest.approx(200 * limit.per_s, abs=1)
    now_s[0] += 3600.0
    assert sum(rate.allows(name) for _ in range(1000)) == limit.burst
