"""Which message each command sends, and by what it is seen that the player has done it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

import click

from daemon.commands.control.exchange import Exchange
from daemon.configuration.flags import completed
from daemon.configuration.keys import BY_NAME
from daemon.errors import BadInputError
from daemon.mqtt import commands, documents
from daemon.safe_text import clock_time
from player.choice.reason_words import ENGLISH
from player.choice.reasons import named
from player.choice.targets import POLICIES, UnknownTargetError, parse_target
from player.location import quoted

NEAR_S = 2.0
"""A place that was gone to is told on the second, and the music goes on from it."""
NEAR = 1e-6
NO_TARGET = "none"
CUES = get_args(get_type_hints(commands.SpeakCommand)["cue"])

Make = Callable[[Any], commands.Command]
Answer = Callable[[Any, Exchange], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A command of the shell: what it says, what it sends, and what it answers once that is done.

    ``make`` is given what was typed. ``answer`` is asked again with everything that is heard, until it is
    not None. ``undone`` is what is sent with ``--undo``; None where there is no such thing.
    """

    text: str
    topic: str
    make: Make
    answer: Answer
    argument: click.Argument | None = None
    undone: Make | None = None


def _target(typed: str) -> commands.TargetCommand:
    if typed == NO_TARGET:
        return commands.TargetCommand()
    if "," not in typed:
        return commands.TargetCommand(name=typed)
    open_valence = typed.partition(",")[0].strip() == "any"
    try:
        point = parse_target(typed.replace("any", "0", 1) if open_valence else typed).mood
    except UnknownTargetError:
        raise BadInputError(
            f"target must be a name, {NO_TARGET}, or a point VALENCE,AROUSAL within -1..1 "
            f"(any for VALENCE leaves it open); got {quoted(typed, 60)}"
        ) from None
    return commands.TargetCommand(valence=None if open_valence else point.valence, arousal=point.arousal)


def _called(track: documents.TrackInfo | None) -> str:
    return "nothing" if track is None else named(track.title, track.artist, ENGLISH.__getitem__)


def _when_it_goes_on(heard: Exchange, words: str) -> str | None:
    """What waits for a music that is paused is done as far as it can be."""
    waits = heard.state is not None and heard.state.paused and heard.unrefused
    return f"{words} once the music goes on" if waits else None


def _skipped(_: commands.SkipCommand, heard: Exchange) -> str | None:
    skips = [said for said in heard.decisions if said.kind == "skip"]
    return f"Now: {_called(skips[-1].chosen)}" if skips else _when_it_goes_on(heard, "Another track plays")


def _played(asked: commands.PlayCommand, heard: Exchange) -> str | None:
    wished = [said.chosen for said in heard.decisions if said.chosen.id == asked.id]
    return f"Now: {_called(wished[-1])}" if wished else _when_it_goes_on(heard, "It plays")


def _paused(asked: commands.PauseCommand, heard: Exchange) -> str | None:
    if heard.fresh is None or heard.fresh.paused != asked.paused:
        return None
    return "Paused" if asked.paused else f"Playing: {_called(heard.fresh.track)}"


def _volume(asked: commands.VolumeCommand, heard: Exchange) -> str | None:
    now = heard.fresh
    return f"Volume: {now.volume:g}" if now and abs(now.volume - asked.volume) < NEAR else None


def _policy(asked: commands.PolicyCommand, heard: Exchange) -> str | None:
    return f"Policy: {asked.policy}" if heard.fresh and heard.fresh.policy == asked.policy else None


def _aimed(asked: commands.TargetCommand, heard: Exchange) -> str | None:
    now = heard.fresh
    if now is None:
        return None
    point = (asked.valence, asked.arousal) == (now.target_valence, now.target_arousal)
    if now.target != asked.name if asked.name else not point:
        return None
    return f"Target: {now.target or NO_TARGET}, policy {now.policy}"


def _sought(asked: commands.SeekCommand, heard: Exchange) -> str | None:
    now, before = heard.fresh, heard.before
    if now is None or now.track is None or before is None or before.track is None:
        return None
    if now.track.id != before.track.id or asked.position_s >= now.track.duration_s:
        return f"At the end of {_called(before.track)}" if heard.unrefused else None
    if not -NEAR_S <= now.position_s - asked.position_s <= NEAR_S + heard.since_s:
        return _when_it_goes_on(heard, "It goes there")
    return f"At {clock_time(asked.position_s)} of {_called(now.track)}"


def _liked(asked: commands.LikeCommand, heard: Exchange) -> str | None:
    if not heard.unrefused:
        return None
    return f"{'Liked' if asked.liked else 'No longer liked'}: {_meant(asked.id, heard)}"


def _banned(asked: commands.BanCommand, heard: Exchange) -> str | None:
    if not heard.unrefused:
        return None
    return f"{'Never again' if asked.banned else 'Allowed again'}: {_meant(asked.id, heard)}"


def _meant(track_id: str | None, heard: Exchange) -> str:
    """The track that a command was about: the one that sounded, where none was named."""
    sounding = None if heard.before is None else heard.before.track
    of_that = sounding is not None and track_id in (None, sounding.id)
    return _called(sounding) if of_that else quoted(track_id or "", 60)


def _said(asked: commands.SpeakCommand, heard: Exchange) -> str | None:
    return f"Asked for the cue {asked.cue}" if heard.unrefused else None


class _Number(click.FloatRange):
    """A number within a range; NaN is in none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number.", param, ctx)
        return number


def _one(metavar: str, kind: click.ParamType[Any] | None = None, **more: Any) -> click.Argument:
    return click.Argument(["typed"], metavar=metavar, type=kind, **more)


CONTROLS: Mapping[str, Control] = {
    "skip": Control(
        text="Crossfade to another track now.",
        topic="skip",
        make=lambda _: commands.SkipCommand(),
        answer=_skipped,
    ),
    "pause": Control(
        text="Pause the music.",
        topic="pause",
        make=lambda _: commands.PauseCommand(paused=True),
        answer=_paused,
    ),
    "resume": Control(
        text="Let paused music go on.",
        topic="pause",
        make=lambda _: commands.PauseCommand(paused=False),
        answer=_paused,
    ),
    "play": Control(
        text="Crossfade to this track now: its id, a line of `library list`, its path or part of its title.",
        topic="play",
        make=lambda typed: commands.PlayCommand(id=typed),
        answer=_played,
        argument=_one("TRACK"),
    ),
    "target": Control(
        text="Aim at a mood: a name (relax, focus, energise, sleep), a point VALENCE,AROUSAL, or none.",
        topic="target",
        make=_target,
        answer=_aimed,
        argument=_one("NAME_OR_POINT", shell_complete=completed(BY_NAME["music.target"])),
    ),
    "policy": Control(
        text="Choose how tracks are chosen.",
        topic="policy",
        make=lambda typed: commands.PolicyCommand(policy=typed),
        answer=_policy,
        argument=_one("NAME", click.Choice(POLICIES)),
    ),
    "volume": Control(
        text="Set the volume, 0 to 1.",
        topic="volume",
        make=lambda typed: commands.VolumeCommand(volume=typed),
        answer=_volume,
        argument=_one("N", _Number(0, 1)),
    ),
    "seek": Control(
        text="Go to a place in what sounds, in seconds from its beginning.",
        topic="seek",
        make=lambda typed: commands.SeekCommand(position_s=typed),
        answer=_sought,
        argument=_one("SECONDS", _Number(0, commands.MAX_POSITION_S)),
    ),
    "like": Control(
        text="Play a track more gladly: what sounds, or the one named.",
        topic="like",
        make=lambda typed: commands.LikeCommand(id=typed),
        undone=lambda typed: commands.LikeCommand(id=typed, liked=False),
        answer=_liked,
        argument=_one("[TRACK]", required=False),
    ),
    "ban": Control(
        text="Never play a track again: what sounds, or the one named.",
        topic="ban",
        make=lambda typed: commands.BanCommand(id=typed),
        undone=lambda typed: commands.BanCommand(id=typed, banned=False),
        answer=_banned,
        argument=_one("[TRACK]", required=False),
    ),
    "say": Control(
        text="Let a cue be heard over the music, as a chime or spoken.",
        topic="speak",
        make=lambda typed: commands.SpeakCommand(cue=typed),
        answer=_said,
        argument=_one("CUE", click.Choice(CUES)),
    ),
}
