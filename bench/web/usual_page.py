"""The peer: the same two charts in the way NiceGUI's examples show, each replaced as a whole on a timer.

``python usual_page.py PORT`` serves ``/`` (the plane, twice a second) and ``/fit`` (10 s of EEG, four times).
"""

from __future__ import annotations

import math
import sys
import time

from nicegui import ui

CHANNELS, RATE_HZ, SECONDS = 4, 128, 10


@ui.page("/")
def plane() -> None:
    chart = ui.echart(
        {
            "xAxis": {"type": "value", "min": -1, "max": 1},
            "yAxis": {"type": "value", "min": -1, "max": 1},
            "series": [{"type": "line", "data": []}, {"type": "scatter", "symbolSize": 24, "data": []}],
        }
    ).style("height: 520px")
    labels = [ui.label("") for _ in range(12)]

    def show() -> None:
        now = time.monotonic()
        chart.options["series"][0]["data"] = [[0, math.sin((now - back) / 9)] for back in range(120, 0, -2)]
        chart.options["series"][1]["data"] = [[0, math.sin(now / 9)]]
        chart.update()
        for label in labels:
            label.text = f"{now:.1f}"

    ui.timer(0.5, show)


@ui.page("/fit")
def fit() -> None:
    chart = ui.echart(
        {
            "animation": False,
            "xAxis": {"type": "value", "min": -SECONDS, "max": 0},
            "yAxis": {"type": "value", "min": -1, "max": CHANNELS},
            "series": [{"type": "line", "symbol": "none", "data": []} for _ in range(CHANNELS)],
        }
    ).style("height: 380px")

    def show() -> None:
        now = time.monotonic()
        count = SECONDS * RATE_HZ
        for lane in range(CHANNELS):
            chart.options["series"][lane]["data"] = [
                [round(k / RATE_HZ - SECONDS, 3), round(lane + 0.3 * math.sin(60 * (now + k / RATE_HZ)), 3)]
                for k in range(count)
            ]
        chart.update()

    ui.timer(0.25, show)


if __name__ in {"__main__", "__mp_main__"}:
    ui.run(host="127.0.0.1", port=int(sys.argv[1]), show=False, reload=False, show_welcome_message=False)
