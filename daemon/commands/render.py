"""``neuroplayer render``: a scripted session played into a file, faster than it sounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from daemon.configuration.flags import option_of
from daemon.configuration.keys import DEFAULTS
from daemon.errors import BadInputError


@click.command()
@click.option(
    "--states", metavar="FILE.jsonl", required=True, help="One emotion state a line, each with `at`."
)
@option_of("music.folders")
@click.option(
    "--out", metavar="FILE.wav", required=True, help="Where the sound goes: 24 bit, 48 kHz, stereo."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, metavar="N", help="Same seed, same bytes.")
@option_of("music.policy", default="match")
@option_of("music.target")
@option_of("music.crossfade_s", "--crossfade SECONDS", type=float, default=DEFAULTS.crossfade_s)
@click.option("--duration", metavar="TIME", help="Length of the sound; 30 s after the last state by default.")
@click.option("--json", "as_json", is_flag=True, help="Answer with JSON, every decision with its candidates.")
def render(music: tuple[str, ...], as_json: bool, **options: Any) -> None:
    """Play a scripted session of emotion states into a WAV file, offline."""
    from player.deck import DeckError
    from player.sink import SinkError

    try:
        answer = _render([Path(folder) for folder in music], **options)
    except (ValueError, DeckError, SinkError) as error:
        raise BadInputError(str(error)) from None
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    for decision in answer["decisions"]:
        click.echo(f"{decision['at_s']:8.1f} s  {decision['kind']:<11}  {decision['why']}")
    click.echo(f"{answer['seconds']:.1f} s written to {answer['out']}, {answer['speed']:.0f} times real time")


def _render(
    folders: list[Path],
    *,
    states: str,
    out: str,
    seed: int,
    policy: str,
    target: str | None,
    crossfade: float,
    duration: str | None,
) -> dict[str, Any]:
    from daemon import places
    from daemon.configuration.values import parse_duration
    from player.choice.chooser import PolicySettings
    from player.choice.targets import parse_policy
    from player.demo.demo_music import ensure_demo_music
    from player.outputs.output_spec import make_sink
    from player.playback.auto_dj import EngineSettings
    from player.render import library_for, render
    from player.state_script import read_states

    script = read_states(Path(states))
    sink = make_sink(f"wav:{out}")
    settings = EngineSettings(crossfade_s=crossfade)
    chosen = PolicySettings(policy=parse_policy(policy), target=target)
    seconds = None if duration is None else parse_duration(duration)
    cache = places.cache_dir()
    with library_for(folders or [ensure_demo_music(cache)], cache) as library:
        report = render(script, library, sink, policy=chosen, settings=settings, seed=seed, seconds=seconds)
    return {
        "out": out,
        "seconds": report.seconds,
        "wall_s": round(report.wall_s, 3),
        "speed": round(report.speed, 1),
        "decisions": [_decision(decision) for decision in report.decisions],
    }


def _decision(decision: Any) -> dict[str, Any]:
    return {
        "at_s": round(decision.at_s, 3),
        "kind": decision.kind,
        "track": {"id": decision.chosen.id, "title": decision.chosen.title},
        "why": decision.why,
        "aim": {"valence": decision.aim.valence, "arousal": decision.aim.arousal},
        "candidates": [
            {"id": one.track.id, "title": one.track.title, "score": one.score, "parts": dict(one.parts)}
            for one in decision.candidates
        ],
    }
