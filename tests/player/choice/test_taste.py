"""Liking, banning and asking for a track: in the choice, in the file, and in playback that sounds."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from player.choice import taste as tastes
from player.choice.taste import Taste, TasteError, TasteFile
from player.opening import open_playback
from player.playback.playback import Playback, UnknownTrackError
from support.sounds.small_library import LIBRARY, settled
from support.sounds.sound_making import sine, write_wav
from support.waiting import wait_until


def test_what_is_liked_is_chosen_more_often() -> None:
    def share(taste: Taste) -> float:
        found = 0
        for seed in range(60):
            chooser = settled(0.0, seed=seed)
            chooser.set_taste(taste)
            found += chooser.choose(120, LIBRARY, "next").chosen.id == "t022"
        return found / 60

    assert share(Taste(liked=frozenset({"t022"}))) > share(Taste()) + 0.1


def test_what_is_banned_never_comes_while_there_is_anything_else() -> None:
    near = frozenset(track.id for track in LIBRARY if abs(track.mood.arousal) < 0.5)
    chooser = settled(0.0)
    chooser.set_taste(Taste(banned=near))
    for now_s in range(120, 1000, 20):
        decision = chooser.choose(now_s, LIBRARY, "next")
        assert decision.chosen.id not in near
        chooser.mark_played(decision.chosen, now_s)


def test_to_ban_everything_is_to_ban_nothing() -> None:
    chooser = settled(0.0)
    chooser.set_taste(Taste(banned=frozenset(track.id for track in LIBRARY)))
    assert chooser.choose(120, LIBRARY, "next").chosen in LIBRARY


def test_liking_lifts_a_ban_and_banning_a_like() -> None:
    taste = Taste().ban("a", True).like("a", True)
    assert (taste.liked, taste.banned) == ({"a"}, frozenset())
    taste = taste.ban("a", True)
    assert (taste.liked, taste.banned) == (frozenset(), {"a"})
    assert taste.ban("a", False) == Taste()


def test_taste_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tastes, "MAX_TRACKS", 3)
    taste = Taste(liked=frozenset("abc"))
    with pytest.raises(TasteError, match="at most 3"):
        taste.like("d", True)


def test_taste_is_kept_privately_and_a_broken_file_is_no_hindrance(tmp_path: Path) -> None:
    file = TasteFile(tmp_path)
    assert file.read() == Taste()
    taste = Taste(liked=frozenset("ab"), banned=frozenset("c"))
    file.write(taste)
    assert TasteFile(tmp_path).read() == taste
    (path,) = tmp_path.iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for broken in (b"", b"{", b'{"liked": 3}', b"\xff" * 100, b'{"liked": ["x"], "more": 1}'):
        path.write_bytes(broken)
        assert file.read() == Taste()


@pytest.fixture(scope="module")
def music(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("music")
    for number in range(4):
        write_wav(folder / f"tone {number}.wav", sine(20, 200 + 90 * number, -20))
    return folder


@pytest.fixture
def playback(music: Path, tmp_path: Path) -> Iterator[Playback]:
    found = open_playback(
        music=[str(music)], outputs=["null"], cache_dir=tmp_path, state_dir=tmp_path, crossfade_s=2.0
    )
    found.start()
    yield found
    found.close()


def sounding(playback: Playback) -> str:
    track = playback.state().track
    return track.title if track else ""


def test_the_track_that_was_asked_for_sounds_next(playback: Playback) -> None:
    wait_until(lambda: "tone" in sounding(playback))
    wait_until(lambda: playback.library_tracks == 4)
    other = next(t for t in playback._library.tracks if t.title != sounding(playback))
    playback.play(other.id)
    wait_until(lambda: sounding(playback) == other.title)
    another = next(t for t in playback._library.tracks if t.title != other.title)
    playback.play(another.id)  # while the first fade may still run
    wait_until(lambda: sounding(playback) == another.title)


def test_a_ban_of_what_sounds_leaves_it_and_it_does_not_come_back(playback: Playback, tmp_path: Path) -> None:
    wait_until(lambda: "tone" in sounding(playback))
    wait_until(lambda: playback.library_tracks == 4)
    sounded = {playback.state().track}
    playback.ban(None, True)
    sounded.add(playback.state().track)
    (banned,) = (track for track in sounded if track and track.id in playback.taste.banned)
    wait_until(lambda: sounding(playback) not in ("", banned.title))
    assert TasteFile(tmp_path).read().banned == {banned.id}
    for _ in range(3):
        now = sounding(playback)
        playback.skip()
        wait_until(lambda now=now: sounding(playback) != now)  # type: ignore[misc]
        assert sounding(playback) != banned.title
    playback.like(banned.id, True)
    assert playback.taste == Taste(liked=frozenset({banned.id}))


def test_an_unknown_track_is_refused(playback: Playback) -> None:
    for ask in (playback.play, lambda name: playback.like(name, True), lambda name: playback.ban(name, True)):
        with pytest.raises(UnknownTrackError, match="no-such-id"):
            ask("no-such-id")
