"""Evaluations as one table, as JSON and as a self-contained HTML page with plots."""

from __future__ import annotations

import base64
import html
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from models.errors import extra_missing
from models.evaluation.evaluation import Evaluation
from models.files.writing import whole_file

COLUMNS = (
    ("balanced accuracy", "balanced_accuracy"),
    ("accuracy", "accuracy"),
    ("macro F1", "macro_f1"),
    ("calibration error", "calibration_error"),
    ("chance", "chance"),
    ("majority", "majority"),
)
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse}td,th{padding:.3rem .8rem;border-bottom:1px solid #ccc;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.leaky{color:#b00020}img{max-width:100%}"
)


def comparison_rows(evaluations: Sequence[Evaluation]) -> list[list[str]]:
    """Heading and one row an evaluation."""
    heading = [
        "model",
        "protocol",
        *(title for title, _ in COLUMNS),
        "95 % over people",
        "worst to best person",
    ]
    rows = [heading]
    for one in evaluations:
        figures = one.figures
        protocol = one.protocol.replace("_", " ") + (" (leaky)" if one.leaky else "")
        low, high = figures["interval_95"]
        rows.append(
            [
                one.model,
                protocol,
                *(_number(figures[key]) for _, key in COLUMNS),
                f"{_number(low)}-{_number(high)}",
                f"{_number(figures['spread'][0])}-{_number(figures['spread'][-1])}",
            ]
        )
    return rows


def comparison_table(evaluations: Sequence[Evaluation]) -> str:
    """The comparison in Markdown."""
    rows = comparison_rows(evaluations)
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    return "\n".join(lines)


def write_report(path: Path, title: str, evaluations: Sequence[Evaluation], note: str = "") -> None:
    """Write ``path`` (.html) and its JSON twin. Raises ``ModelsError`` where matplotlib is missing."""
    plots = [_coverage_plot(evaluations), _people_plot(evaluations)]
    rows = comparison_rows(evaluations)
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in rows[0])
    body = "".join(
        f'<tr class="{"leaky" if one.leaky else "honest"}">'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for one, row in zip(evaluations, rows[1:], strict=True)
    )
    images = "".join(
        f'<p><img alt="{alt}" src="data:image/svg+xml;base64,{data}"></p>' for alt, data in plots
    )
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f"<style>{STYLE}</style><h1>{html.escape(title)}</h1><p>{html.escape(note)}</p>"
        f"<table><tr>{head}</tr>{body}</table>{images}</html>\n"
    )
    document = {"title": title, "note": note, "evaluations": [one.as_json() for one in evaluations]}
    with whole_file(path) as draft:
        draft.write_text(page, encoding="utf-8")
    with whole_file(path.with_suffix(".json")) as draft:
        draft.write_text(json.dumps(document, indent=1, sort_keys=True, allow_nan=False) + "\n", "utf-8")


def _figure() -> Any:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise extra_missing("a report", "matplotlib") from error
    return Figure(figsize=(8, 4), layout="constrained")


def _coverage_plot(evaluations: Sequence[Evaluation]) -> tuple[str, str]:
    figure = _figure()
    axes = figure.add_subplot()
    for one in evaluations:
        curve = one.figures["coverage"]
        axes.plot(
            [float(c) for c in curve],
            [v if v is not None else float("nan") for v in curve.values()],
            marker="o",
            linestyle="--" if one.leaky else "-",
            label=f"{one.model}, {one.protocol.replace('_', ' ')}",
        )
    axes.set(xlabel="share of windows answered", ylabel="balanced accuracy", xlim=(1.02, 0.48))
    axes.legend(fontsize="small")
    return "Accuracy against coverage", _as_svg(figure)


def _people_plot(evaluations: Sequence[Evaluation]) -> tuple[str, str]:
    figure = _figure()
    axes = figure.add_subplot()
    values = [[v for v in one.figures["per_person"].values() if v is not None] for one in evaluations]
    axes.boxplot(values)
    axes.set_xticks(
        range(1, len(evaluations) + 1),
        [f"{one.model}\n{one.protocol.replace('_', ' ')}" for one in evaluations],
        fontsize="x-small",
    )
    axes.axhline(evaluations[0].figures["chance"], color="grey", linestyle=":")
    axes.set(ylabel="balanced accuracy by person")
    return "Spread over people", _as_svg(figure)


def _as_svg(figure: Any) -> str:
    held = io.BytesIO()
    figure.savefig(held, format="svg", metadata={"Date": None})
    return base64.b64encode(held.getvalue()).decode("ascii")


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
