"""F28, F30: whatever failed, in whatever state, music of the library comes back within a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from player.deck import Deck, PcmBlock
from player.decks.av_deck import PullDeck
from player.decks.filler_deck import LOCATION, FillerDeck
from player.music import Mood, Track
from player.playback.lineup import is_filler
from player.render import FixedTracks, OfflineSession
from support.sounds.playback_rig import high_noise, longest_gap_s, make_session, open_plain, write_track

BACK_WITHIN_S = 60.0
Weather = Literal["fine", "refused", "hanging", "breaking", "no library"]
Act = Literal["skip", "play", "seek", "pause", "target", "nothing"]


@dataclass
class World:
    """What happens to every disk and server at once."""

    weather: Weather = "fine"


class WeatheredDeck(PullDeck):
    """A real decoder behind a connection that can be refused, hang, or break while it plays."""

    def __init__(self, world: World, place: Path) -> None:
        super().__init__(open_plain)
        self._world, self._place = world, place
        self._lost: str | None = None
        self._refused = world.weather in ("refused", "breaking")

    def open(self, location: str, start_s: float = 0.0) -> None:
        if self._refused:
            self._lost = "refused"
        super().open(str(self._place), start_s)

    def _look(self) -> None:
        if self._world.weather == "breaking":
            self._lost = self._lost or "broke off"

    @property
    def error(self) -> str | None:
        self._look()
        return self._lost or super().error

    @property
    def complete(self) -> bool:
        self._look()
        return self._lost is not None or super().complete

    @property
    def ended(self) -> bool:
        self._look()
        return self._lost is not None or super().ended

    def buffered_frames(self) -> int:
        self._look()
        silent = self._lost is not None or self._world.weather == "hanging"
        return 0 if silent else super().buffered_frames()

    def read(self, n_frames: int) -> PcmBlock:
        return super().read(min(n_frames, self.buffered_frames()))


def session_in(world: World, tracks: list[Track], places: dict[str, Path]) -> OfflineSession:
    def make(location: str) -> Deck:
        return FillerDeck() if location == LOCATION else WeatheredDeck(world, places[location])

    return make_session(tracks, crossfade_s=3.0, make_deck=make)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[list[Track], dict[str, Path]]]:
    """Two stations, two files, and one of each; a station is a file behind an address, without an end."""
    folder = tmp_path_factory.mktemp("music")
    files = [write_track(folder, f"file{i}", high_noise(70, seed=i), arousal=0.1 * i) for i in range(2)]
    long = write_track(folder, "long", high_noise(200, seed=9))
    stations = [
        replace(files[0], id=f"s{i}", location=f"http://127.0.0.1:9/{i}", duration_s=0.0, cue_out_s=0.0)
        for i in range(2)
    ]
    places = {track.location: Path(track.location) for track in files}
    places |= {track.location: Path(long.location) for track in stations}
    mixed = [files[0], stations[0]]
    return {"files": (files, places), "stations": (stations, places), "both": (mixed, places)}


def act(session: OfflineSession, tracks: list[Track], what: Act) -> None:
    engine = session.engine
    steps: dict[Act, Callable[[], object]] = {
        "skip": engine.skip,
        "play": lambda: engine.play(tracks[-1]),
        "seek": lambda: engine.seek(30.0),
        "pause": lambda: engine.pause(None),
        "target": lambda: (session.chooser.set_target(Mood(None, 0.9)), engine.choose_anew()),
        "nothing": lambda: None,
    }
    steps[what]()


def hear(session: OfflineSession, world: World, seconds: float) -> PcmBlock:
    """What sounds meanwhile; a library that is away has no tracks."""
    source = session.source
    kept = source.tracks
    if world.weather == "no library":
        source.tracks = ()
    sound = np.concatenate(list(session.blocks(seconds, 4096)))
    source.tracks = kept
    return sound


def comes_back(session: OfflineSession, world: World) -> float:
    """Seconds until a track of the library sounds."""
    world.weather = "fine"
    for second in range(int(BACK_WITHIN_S) + 1):
        state = session.engine.state()
        if state.track is not None and not is_filler(state.track) and not state.fading:
            sound = hear(session, world, 1.0)
            if np.abs(sound).max() > 1e-3 and session.engine.state().track == state.track:
                return float(second)
        else:
            hear(session, world, 1.0)
    raise AssertionError(f"only {session.engine.state()} within {BACK_WITHIN_S:.0f} s")


@pytest.mark.parametrize("weather", ["refused", "hanging", "breaking", "no library"])
@pytest.mark.parametrize("kind", ["files", "stations", "both"])
def test_after_an_outage_the_music_of_the_library_comes_back(
    kinds: dict[str, tuple[list[Track], dict[str, Path]]], kind: str, weather: Weather
) -> None:
    tracks, places = kinds[kind]
    world = World()
    session = session_in(world, tracks, places)
    hear(session, world, 10.0)
    world.weather = weather
    hear(session, world, 90.0)
    assert comes_back(session, world) <= BACK_WITHIN_S
    session.close()


def test_two_stations_whose_server_was_away_for_a_quarter_of_a_minute_play_again(
    kinds: dict[str, tuple[list[Track], dict[str, Path]]],
) -> None:
    tracks, places = kinds["stations"]
    world = World()
    session = session_in(world, tracks, places)
    sound = [hear(session, world, 20.0)]
    world.weather = "breaking"
    sound.append(hear(session, world, 14.0))
    assert comes_back(session, world) < 30
    assert longest_gap_s(np.concatenate(sound)) <= 0.25
    session.close()


def test_a_skip_leaves_a_station_for_the_other(
    kinds: dict[str, tuple[list[Track], dict[str, Path]]],
) -> None:
    tracks, places = kinds["stations"]
    world = World()
    session = session_in(world, tracks, places)
    hear(session, world, 10.0)
    before = session.engine.state().track
    session.engine.skip()
    hear(session, world, 5.0)
    assert session.engine.state().track not in (None, before)
    session.close()


def test_a_track_that_was_asked_for_and_is_dead_leaves_what_sounds_alone(
    kinds: dict[str, tuple[list[Track], dict[str, Path]]],
) -> None:
    tracks, places = kinds["files"]
    world, failed = World(), []
    session = session_in(world, tracks, places)
    session.engine.on_failed_wish = lambda track, why: failed.append((track, why))
    hear(session, world, 5.0)
    sounding = session.engine.state().track
    dead = next(track for track in tracks if track != sounding)
    world.weather = "refused"
    session.engine.play(dead)
    hear(session, world, 5.0)
    ((track, why),) = failed
    assert track == dead
    assert why
    assert session.engine.state().track == sounding
    session.close()


WEATHERS = st.sampled_from(["refused", "hanging", "breaking", "no library", "fine"])
ACTS = st.sampled_from(["skip", "play", "seek", "pause", "target", "nothing"])


@settings(max_examples=12, deadline=None)
@given(
    kind=st.sampled_from(["files", "stations", "both"]),
    story=st.lists(st.tuples(WEATHERS, ACTS, st.floats(0.5, 40.0)), min_size=1, max_size=4),
)
def test_whatever_happened_the_music_of_the_library_comes_back(
    kinds: dict[str, tuple[list[Track], dict[str, Path]]],
    kind: str,
    story: list[tuple[Weather, Act, float]],
) -> None:
    tracks, places = kinds[kind]
    world = World()
    session = session_in(world, tracks, places)
    for weather, what, seconds in story:
        world.weather = weather
        act(session, tracks, what)
        hear(session, world, seconds)
    session.engine.pause(False)
    assert comes_back(session, world) <= BACK_WITHIN_S
    session.close()


def test_the_library_of_the_rig_is_the_one_that_is_watched(tmp_path: Path) -> None:
    """The tests above change ``tracks`` of the very object that the engine looks at."""
    track = write_track(tmp_path, "one", high_noise(31, seed=1))
    session = session_in(World(), [track], {track.location: Path(track.location)})
    assert isinstance(session.source, FixedTracks)
    hear(session, World("no library"), 2.0)
    assert is_filler(session.engine.state().track) or session.engine.state().track is None
    session.close()
