"""Draws the terminal view of a recorded session: ``neuroplayer run --json > session.jsonl`` first, then
``python docs/images/draw_terminal.py session.jsonl terminal.svg [SECONDS]``.

What is drawn are the documents of that session, at the moment SECONDS after its first one.
"""

from __future__ import annotations

import io
import json
import sys
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from daemon.startup.headline import headline
from daemon.terminal.live_view import LiveView
from daemon.settings import BrokerSettings, Settings, WebSettings

WIDTH, HEIGHT = 110, 34
SETTINGS = Settings(broker=BrokerSettings(ours=True), web=WebSettings(), output="wav:session.wav")


def main(session: Path, picture: Path, seconds: float) -> None:
    """Feed the documents with their own times, and export the screen as SVG."""
    now_s = 0.0
    view = LiveView(headline(SETTINGS), clock=lambda: now_s)
    began_s: float | None = None
    for line in session.read_text("utf-8").splitlines():
        said = json.loads(line)
        if "at" not in said["document"]:
            continue
        at_s = datetime.fromisoformat(said["document"]["at"]).timestamp()
        began_s = at_s if began_s is None else began_s
        if at_s - began_s > seconds:
            break
        now_s = max(now_s, at_s - began_s)
        view.show(said["topic"], said["document"])
    console = Console(record=True, width=WIDTH, height=HEIGHT, force_terminal=True, file=io.StringIO())
    console.print(view.render(WIDTH, HEIGHT), height=HEIGHT)
    picture.write_text(console.export_svg(title="neuroplayer run", theme=MONOKAI), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 1e9)
