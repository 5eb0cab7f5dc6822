"""Puts playback together from plain values: library, decoders, mixer, chooser and outputs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from player.analysis.first_listen import first_loudness_lufs
from player.choice.chooser import Chooser, PolicySettings
from player.choice.chooser_log import ChooserLog, LoggedChooser
from player.choice.targets import parse_policy
from player.choice.taste import TasteFile
from player.decks.deck_opening import DeckKind, deck_maker
from player.demo.demo_music import begin_demo_music
from player.library.library import Library
from player.mixing.fades import Curve
from player.mixing.mixer import Mixer
from player.music import AnnouncementKind, Decision, PolicyName
from player.outputs.output_spec import make_sink
from player.outputs.outputs import Outputs
from player.playback.auto_dj import AutoDj, EngineSettings
from player.playback.playback import DeckCloser, Playback
from player.playback.resume_point import ResumeFile


def open_playback(
    *,
    music: Sequence[str] = (),
    outputs: Sequence[str] = ("device",),
    cache_dir: Path,
    state_dir: Path | None = None,
    policy: str = "match",
    target: str | None = None,
    crossfade_s: float = 8.0,
    curve: Curve = "equal_power",
    volume: float = 1.0,
    cues: AnnouncementKind = "off",
    deck: DeckKind = "auto",
    seed: int = 0,
    on_decision: Callable[[Decision], None] = lambda decision: None,
    decisions_log: ChooserLog | None = None,
    clock: Callable[[], float] = time.monotonic,
    given_up: Callable[[], bool] = lambda: False,
) -> Playback:
    """Playback that is ready to ``start``; without ``music`` it plays the demo tracks.

    ``on_decision`` is called from the engine's thread as each track begins. With a ``state_dir`` the place in
    the music is kept there; with a ``decisions_log`` all that the chooser is asked is written down. A folder
    that nobody has scanned yet is waited for until its first track is known, or until ``given_up`` says that
    nobody waits any more. Raises LibraryError, OutputError, UnknownPolicyError, UnknownTargetError,
    ValueError and DeckError, each with one line for a person.
    """
    name: PolicyName = parse_policy(policy)
    policy_settings = PolicySettings(policy=name, target=target)
    if decisions_log is None:
        chooser = Chooser(policy_settings, seed)
    else:
        chooser = LoggedChooser(policy_settings, seed, decisions_log.write)
    settings = EngineSettings(crossfade_s=crossfade_s, curve=curve, volume=volume)
    sinks = [make_sink(text) for text in outputs]
    library = _library([Path(folder) for folder in music], cache_dir, clock, given_up)
    closer = DeckCloser()
    engine = AutoDj(
        Mixer(),
        chooser,
        library,
        deck_maker(deck, library.open_file, library.address_of),
        close_deck=closer,
        loudness_of=first_loudness_lufs,
        on_decision=on_decision,
        settings=settings,
    )
    place = None if state_dir is None else ResumeFile(state_dir, time.time)
    taste = None if state_dir is None else TasteFile(state_dir)
    return Playback(
        engine,
        chooser,
        library,
        Outputs(sinks),
        closer,
        place=place,
        taste=taste,
        cues=cues,
        on_like=library.like,
        clock=clock,
    )


def _library(
    folders: Sequence[Path], cache_dir: Path, clock: Callable[[], float], given_up: Callable[[], bool]
) -> Library:
    """Of these folders; without any the demo music, whose later pieces are still being composed.

    A piece that is refused is waited past, and without any at all the filler plays: that is our fault alone.
    """
    if folders:
        return Library.open(folders, cache_dir, clock=clock, given_up=given_up)
    folder, composing = begin_demo_music(cache_dir)
    if composing is not None:  # somebody must hear its process end
        threading.Thread(target=composing.wait, name="demo-music", daemon=True).start()
    return Library.open(
        [folder],
        cache_dir,
        clock=clock,
        given_up=given_up,
        more_to_come=lambda: composing is not None and composing.poll() is None,
        may_be_empty=True,
    )
