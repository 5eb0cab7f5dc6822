"""What a person is told of a broker that cannot be reached: once for each outage, and when it is back."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from enum import Enum
from typing import Literal

Cause = Literal["away", "refused", "untrusted", "taken_over"]
SAY_AFTER_S = 1.5
"""A broker that was never reached may be starting beside us; sooner nobody is told."""
MANY = 5
"""After so many outages the lines no longer differ, so that the log counts them instead of saying each."""
_NUMBER = re.compile(r"^(\[Errno -?\d+\]|\[code:\d+\]) ")


class LinkTrouble(Enum):
    """What no reason code of the broker and no error of the system says."""

    BROKEN = "the connection broke"
    NO_ANSWER = "it does not answer"


log = logging.getLogger(__name__)


class Outage:
    """One a link. ``url`` names the broker, ``meanwhile`` what goes on without it."""

    def __init__(self, url: str, meanwhile: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._url, self._meanwhile, self._clock = url, meanwhile, clock
        self._began_s: float | None = clock()
        self._told: set[Cause] = set()
        self._reached, self._count = False, 0

    def failed(self, cause: Cause, why: str | LinkTrouble) -> None:
        """The link broke, or another try to reach the broker failed."""
        now_s = self._clock()
        if self._began_s is None:
            self._began_s = now_s
        early = not self._reached and cause == "away" and now_s - self._began_s < SAY_AFTER_S
        if cause in self._told or early:
            return
        self._count += not self._told
        self._told.add(cause)
        log.warning(
            "%s", "; ".join(part for part in (self._what(cause, why), self._meanwhile, _next(cause)) if part)
        )

    def over(self) -> None:
        """The broker is reached and everything was said to it again."""
        began_s, self._began_s = self._began_s, None
        if self._told:
            after = f" after {self._clock() - (began_s or 0.0):.0f} s" if self._count <= MANY else ""
            log.warning("the broker at %s is %s%s", self._url, "back" if self._reached else "there", after)
        self._reached = True
        self._told.clear()

    def _what(self, cause: Cause, why: str | LinkTrouble) -> str:
        reason = why.value if isinstance(why, LinkTrouble) else _NUMBER.sub("", why)
        match cause:
            case "refused":
                return f"the broker at {self._url} does not let us in ({reason})"
            case "untrusted":
                return f"the broker at {self._url} cannot be trusted ({reason})"
            case "taken_over":
                return f"the broker at {self._url}: {reason}"
        if not self._reached:
            return f"no broker is reached at {self._url} ({reason})"
        times = "" if self._count == 1 else f" again ({self._count} times so far)"
        times = times if self._count <= MANY else " again and again"
        return f"the broker at {self._url} is gone{times} ({reason})"


def _next(cause: Cause) -> str:
    if cause == "away":
        return "trying again, soon at first, later every half minute"
    return "trying again every half minute"
