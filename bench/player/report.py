"""Writes a result as JSON and as a short table next to it, with the machine it was measured on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"


def machine() -> dict[str, Any]:
    """What the figures depend on."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    )
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "commit": commit.stdout.strip(),
    }


def write(
    name: str, title: str, rows: Sequence[dict[str, Any]], facts: dict[str, Any], notes: Sequence[str] = ()
) -> None:
    """``bench/results/NAME.json`` and ``.md``; prints the table."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    answer = {"machine": facts, "rows": list(rows), "notes": list(notes)}
    (RESULTS / f"{name}.json").write_text(
        json.dumps(answer, indent=1, default=lambda value: value.item()) + "\n", encoding="utf-8"
    )
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = [f"# {title}", "", "| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    lines += ["| " + " | ".join(_cell(row.get(column, "")) for column in columns) + " |" for row in rows]
    lines += ["", *notes, "", "Machine: " + ", ".join(f"{key} {value}" for key, value in facts.items()), ""]
    text = "\n".join(lines)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
