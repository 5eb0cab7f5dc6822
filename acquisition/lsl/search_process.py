"""Looks once for the LSL streams of EEG on this machine, in a process of its own: liblsl is native code.

``python -m acquisition.lsl.search_process SECONDS`` prints the streams that answer as one JSON list.
"""

from __future__ import annotations

import json
import signal
import sys
from dataclasses import asdict

from acquisition.lsl.discovery import find_eeg
from acquisition.port import NO_LSL, MissingPartError

ASK_S = 3.0
"""Streams describe themselves at once; only one that hangs makes use of this."""
LIFE_S = 120.0
"""Whatever liblsl does and whatever became of the parent, this process ends so long after the look: a machine
that is busy may need a quarter of a minute to import it.
"""


def main() -> int:
    """Look, print, end."""
    look_s = float(sys.argv[1])
    signal.setitimer(signal.ITIMER_REAL, look_s + LIFE_S)
    try:
        found = find_eeg(look_s, ASK_S)
    except MissingPartError:
        return NO_LSL
    json.dump([asdict(stream) for stream in found], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
