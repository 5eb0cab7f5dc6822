"""What is read of albums: which track belongs to which, in what order, and what goes on."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from player.choice.albums import Albums, is_mix, joins
from player.choice.chooser import Chooser, PolicySettings
from player.choice.taste import Taste
from player.library.sounds.header_reading import part_number
from player.library.store.rows import FileRow, Header
from player.library.track_building import build_tracks
from player.music import Track
from support.sounds.track_making import feeling, ladder, make_track


@pytest.mark.parametrize(
    ("tags", "part"),
    [
        ({"track": "3"}, 1003),
        ({"track": "03/12"}, 1003),
        ({"tracknumber": " 7 "}, 1007),
        ({"track": "2", "disc": "2/2"}, 2002),
        ({"track": "12", "discnumber": "01"}, 1012),
        ({"track": "A1"}, 0),
        ({"track": "0"}, 0),
        ({"track": "20240131"}, 0),
        ({"disc": "2"}, 0),
        ({}, 0),
    ],
)
def test_the_place_in_an_album(tags: dict[str, str], part: int) -> None:
    assert part_number(tags) == part


def row(path: str, part: int = 0, album: str = "A", album_artist: str = "") -> FileRow:
    header = Header(100.0, path, "", album=album, album_artist=album_artist, part=part)
    return FileRow(path, "/m", header, None, None, None, 1)


def test_an_album_is_its_name_and_artist_or_folder_and_shows_no_path() -> None:
    rows = [
        row("/m/a/01 One.flac"),
        row("/m/a/2-03 Two.flac"),
        row("/m/a/x.flac", 1005),
        row("/m/b/01 Other.flac"),
        row("/m/c/1.flac", 1001, "B", "Me"),
        row("/m/d/1.flac", 2001, "B", "Me"),
        row("/m/e/01 Single.flac", album=""),
        row("/m/e/1984.flac", album="C"),
    ]
    one, two, five, other, first, second, single, year = build_tracks(rows)
    assert [track.part for track in (one, two, five, other, year)] == [1001, 2003, 1005, 1001, 0]
    assert one.album == two.album == five.album != other.album
    assert first.album == second.album
    assert single.album == ""
    assert not any("/" in track.album for track in (one, first))


def parts(*numbers: int, album: str = "a") -> list[Track]:
    return [replace(make_track(f"{album}{n}"), album=album, part=n) for n in numbers]


def test_what_follows_what() -> None:
    one, two, four, disc = tracks = parts(1001, 1002, 1004, 2001)
    albums = Albums([disc, four, two, one])
    assert [albums.after(track, frozenset()) for track in tracks] == [two, four, disc, None]
    assert albums.after(one, {two.id}) == four
    assert [albums.begins(track, frozenset()) for track in tracks] == [True, False, False, False]
    assert albums.begins(two, {one.id})
    assert (joins(one, two), joins(two, four), joins(four, disc), joins(two, one)) == (
        True,
        False,
        True,
        False,
    )
    assert not joins(one, replace(two, album="b"))
    assert not joins(make_track("x"), make_track("y"))


@pytest.mark.parametrize(
    ("title", "minutes", "mix"),
    [
        ("Evening (Continuous Mix)", 5, True),
        ("Non-Stop Mix 3", 5, True),
        ("Summer, mixed by Someone", 5, True),
        ("Song (Extended Mix)", 8, False),
        ("Song (Radio Mix)", 3, False),
        ("Mixed Emotions", 4, False),
        ("Adagio", 24, True),
    ],
)
def test_what_is_a_mix(title: str, minutes: float, mix: bool) -> None:
    assert is_mix(replace(make_track("m", duration_s=60.0 * minutes), title=title)) == mix


def test_the_policy_goes_on_to_the_end_and_then_begins_another_album() -> None:
    library = [*parts(1001, 1002, 1003), *parts(1001, 1002, album="b"), *ladder(3)]
    chooser = Chooser(PolicySettings(policy="album"), 3)
    current, heard = library[0], []
    for at_s in range(12):
        chooser.on_mood(feeling(100.0 * at_s, 0.9))
        chooser.mark_played(current, 100.0 * at_s)
        assert chooser.wants_change(100.0 * at_s + 99, current, 99.0) is None
        heard.append(current)
        decision = chooser.choose(100.0 * at_s + 99, library, "next", current)
        current = decision.chosen
    assert heard[:3] == library[:3]
    for one, other in pairwise(heard):
        assert Albums(library).after(one, frozenset()) == (other if other.part > 1001 else None)


def test_a_banned_part_is_passed_over_and_the_reason_says_that_the_album_goes_on() -> None:
    library = parts(1001, 1002, 1003)
    chooser = Chooser(PolicySettings(policy="album"), 3)
    chooser.set_taste(Taste(banned=frozenset({library[1].id})))
    decision = chooser.choose(1.0, library, "next", library[0])
    assert decision.chosen == library[2]
    assert decision.why == f"The album goes on with “{library[2].title}”."
