"""A real LSL outlet in a process of its own, kept to this machine, that can be killed, stopped, restarted.

As a script it is the outlet: ``python real_outlet.py '{"name": ..}'``.
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
import uuid
from typing import Any, Self

from support.child_script import ChildScript

MACHINE = (
    "[multicast]\nResolveScope = machine\nListenAddress = 127.0.0.1\n"
    "[ports]\nIPv6 = disable\n[log]\nlevel = -2\n"
)
MUSE = ("TP9", "AF7", "AF8", "TP10")


class RealOutlet(ChildScript):
    """``channel_uv(row, n)`` says which value sample ``n`` of a row has."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        unique = uuid.uuid4().hex[:10]
        self.settings = {
            "name": f"test-{unique}",
            "type": "EEG",
            "source_id": f"id-{unique}",
            "labels": list(MUSE),
            "rate_hz": 256.0,
            "unit": "microvolts",
            "shift_s": 0.0,
            "units": None,
            "types": None,
            "format": "float32",
            "factor": 1.0,
            "stamps_per_s": 1.0,
            **settings,
        }

    @property
    def name(self) -> str:
        return str(self.settings["name"])

    def start(self, **changed: Any) -> Self:
        self._start(__file__, json.dumps({**self.settings, **changed}))
        return self


def channel_uv(row: int, n: int, rate_hz: float) -> float:
    """A 10 Hz sine, larger from row to row, so that rows and units can be told apart."""
    return 10.0 * (row + 1) * math.sin(2 * math.pi * 10 * n / rate_hz)


def _serve(settings: dict[str, Any]) -> None:
    import pylsl

    if "LSLAPICFG" not in os.environ:
        pylsl.set_config_content(MACHINE)
    labels, rate_hz = settings["labels"], float(settings["rate_hz"])
    info = pylsl.StreamInfo(
        settings["name"], settings["type"], len(labels), rate_hz, settings["format"], settings["source_id"]
    )
    channels = info.desc().append_child("channels")
    units, types = (
        settings["units"] or [settings["unit"]] * len(labels),
        settings["types"] or [""] * len(labels),
    )
    for label, unit, kind in zip(labels, units, types, strict=True):
        channel = channels.append_child("channel")
        channel.append_child_value("label", label)
        channel.append_child_value("unit", unit)
        channel.append_child_value("type", kind)
    outlet = pylsl.StreamOutlet(info)
    scale = {"microvolts": 1.0, "millivolts": 1e-3, "volts": 1e-6}.get(settings["unit"], 1.0)
    scale *= settings["factor"]
    print("ready", flush=True)  # noqa: T201 - the parent waits for it
    begin, sent = time.monotonic(), 0
    start_s = pylsl.local_clock() + float(settings["shift_s"])
    while True:
        due = int((time.monotonic() - begin) * rate_hz)
        if due > sent:
            rows = [
                [scale * channel_uv(row, n, rate_hz) for row in range(len(labels))] for n in range(sent, due)
            ]
            if settings["stamps_per_s"] == 1.0:
                outlet.push_chunk(rows, start_s + (due - 1) / rate_hz)
            else:  # each with a stamp of its own, as BlueMuse does
                for n, row in enumerate(rows, sent):
                    outlet.push_sample(row, (start_s + n / rate_hz) * settings["stamps_per_s"])
            sent = due
        time.sleep(0.02)


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
