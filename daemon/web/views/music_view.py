"""From what the player says to what the session page shows of the music. Pure."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from daemon.mqtt import documents, topics
from daemon.safe_text import clock_time, shown
from daemon.web.state.live_state import LiveState
from daemon.web.texts import Texts
from daemon.web.views.reason_view import Why, why
from player.choice.policies import RULES
from player.music import Mood


def goes_by_target(policy: str) -> bool:
    """Whether a target is where the policy goes; touching the plane under another one chooses ``lead``."""
    return any(name == policy and rule.goes_by_target for name, rule in RULES.items())


def policy_words(policy: str, texts: Texts) -> tuple[str, str]:
    """Its button and its hint; of a policy that nobody has described yet the name."""
    label, hint = f"policy.{policy}", f"policy.{policy}_hint"
    return texts(label) if texts.has(label) else policy, texts(hint) if texts.has(hint) else ""


@dataclass(frozen=True, slots=True)
class TrackView:
    """A track as it is shown. ``hue`` colours the picture of a track without artwork."""

    id: str
    title: str
    artist: str
    hue: int
    valence: float | None
    arousal: float
    source: str
    liked: bool


@dataclass(frozen=True, slots=True)
class MusicView:
    """What sounds, how far it is, what follows and why. ``position_s`` runs on between two documents.

    While a fade runs, ``track`` is the one that comes and ``leaving`` the one that goes.
    """

    present: bool
    track: TrackView | None
    next: TrackView | None
    position_s: float
    duration_s: float
    elapsed: str
    length: str
    share: float
    fading: float | None
    leaving: TrackView | None
    paused: bool
    volume: float
    policy: str
    target: str | None
    target_valence: float | None
    target_arousal: float | None
    why: str
    more: tuple[str, ...]
    output: str
    stream_title: str = ""


def track_view(track: documents.TrackInfo, texts: Texts) -> TrackView:
    """A track of the contract, made safe to show."""
    return TrackView(
        id=track.id,
        title=shown(track.title) or texts("music.untitled"),
        artist=shown(track.artist, 80),
        hue=int.from_bytes(hashlib.blake2b(track.id.encode(), digest_size=2).digest(), "big") % 360,
        valence=track.mood.valence,
        arousal=track.mood.arousal,
        source=shown(track.mood.source, 20),
        liked=track.liked,
    )


def music_view(state: LiveState, texts: Texts) -> MusicView:
    """What the player last said, carried on to now."""
    player = state.newest(documents.PlayerState, topics.PLAYER_STATE)
    if player is None:
        return _NOTHING
    age_s = state.age_s(topics.PLAYER_STATE) or 0.0
    running = player.track is not None and not player.paused and state.online.get("player", True)
    duration_s = player.track.duration_s if player.track else 0.0
    position_s = player.position_s + (min(age_s, 3.0) if running else 0.0)
    position_s = min(position_s, duration_s) if duration_s else position_s
    found = _why(state, player, texts)
    return MusicView(
        present=True,
        track=track_view(player.track, texts) if player.track else None,
        next=track_view(player.next, texts) if player.next else None,
        position_s=position_s,
        duration_s=duration_s,
        elapsed=clock_time(position_s),
        length=clock_time(duration_s) if duration_s else texts("music.endless"),
        share=position_s / duration_s if duration_s else 0.0,
        fading=player.fading,
        leaving=track_view(player.leaving, texts) if player.leaving else None,
        paused=player.paused,
        volume=player.volume,
        policy=player.policy,
        target=shown(player.target, 40) if player.target else None,
        target_valence=player.target_valence,
        target_arousal=player.target_arousal,
        why=found.sentence,
        more=found.more,
        output=shown(player.output, 80),
        stream_title=shown(player.stream_title, 160),
    )


def _why(state: LiveState, player: documents.PlayerState, texts: Texts) -> Why:
    """For what sounds now: as the player says, or, of an older player, the decision that was heard."""
    track = player.track
    heard = [decision for decision in state.decisions if track is not None and decision.chosen.id == track.id]
    found = player.chosen or (heard[-1] if heard else None)
    if found is None:
        return Why(texts("music.no_why"), ())
    mood = Mood(track.mood.valence, track.mood.arousal) if track is not None else None
    return why(found, texts("music.this_track"), mood, texts)


_NOTHING = MusicView(
    present=False,
    track=None,
    next=None,
    position_s=0.0,
    duration_s=0.0,
    elapsed="0:00",
    length="0:00",
    share=0.0,
    fading=None,
    leaving=None,
    paused=False,
    volume=1.0,
    policy="match",
    target=None,
    target_valence=None,
    target_arousal=None,
    why="",
    more=(),
    output="",
)
