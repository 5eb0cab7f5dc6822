"""``neuroplayer bench``: figures about this machine, measured on it."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import click

from daemon.errors import BadInputError

MAX_SESSIONS = 500


@click.group()
def bench() -> None:
    """Measure this machine: what the engine costs and how late a mood is."""


@bench.command()
@click.option("--sessions", type=int, default=1, show_default=True, help="Sessions in one engine process.")
@click.option("--seconds", type=float, default=15.0, show_default=True, help="How long to measure.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def latency(sessions: int, seconds: float, as_json: bool) -> int:
    """From the last sample of a window to an MQTT subscriber, by stage."""
    if not 1 <= sessions <= MAX_SESSIONS:
        raise BadInputError(f"--sessions must be 1 to {MAX_SESSIONS}, got {sessions}")
    if not 3 <= seconds <= 3600:
        raise BadInputError(f"--seconds must be 3 to 3600, got {seconds:g}")
    from daemon import places
    from daemon.diagnosis.latency_bench import measure, percentile
    from daemon.settings import Settings
    from daemon.wiring.engine import model_roots

    figures = measure(sessions, seconds, model_roots(Settings(state_dir=str(places.state_dir()))))
    stages = _stages(figures.stages_ms)
    rows = {stage: (median(values), percentile(values, 99)) for stage, values in stages.items()}
    total = figures.total_ms
    rows["last sample to subscriber"] = (median(total) if total else 0.0, percentile(total, 99))
    if as_json:
        import msgspec

        document = {
            "sessions": sessions,
            "model": figures.model,
            "windows": len(total),
            "lost": figures.lost,
            "cpu_share": round(figures.cpu_share, 3),
            "ms": {stage: {"p50": round(p50, 3), "p99": round(p99, 3)} for stage, (p50, p99) in rows.items()},
        }
        click.echo(msgspec.json.encode(document).decode())
        return 0
    click.echo(f"{sessions} session(s), {len(total)} windows, read by {figures.model}; {figures.lost} lost")
    click.echo(f"{'stage':28}{'p50 ms':>10}{'p99 ms':>10}")
    for stage, (p50, p99) in rows.items():
        click.echo(f"{stage:28}{p50:10.3f}{p99:10.3f}")
    click.echo(
        "signal_delay is how much later the causal filters show an alpha wave; it is not part of the total.\n"
        f"The engine used {100 * figures.cpu_share:.0f} % of a core."
    )
    return 0


def _stages(told: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    stages: dict[str, list[float]] = {}
    for latency_ms in told:
        for stage, value in latency_ms.items():
            stages.setdefault(stage, []).append(value)
    return stages
