"""Playlists and sidecars as other programs and other systems write them: every entry is played or listed."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from player.library.scanner import Scanner
from player.library.sources.playlists import read_playlist
from player.library.store.rows import FileRow
from player.library.store.track_cache import TrackCache
from support.sounds.sound_making import write_tone

BLUE = "Blue Öyster Cult - Reaper.wav"
SUB = "Sub Dir/Time & 100% #1.wav"
ENCODED = "Blue%20%C3%96yster%20Cult%20-%20Reaper.wav\nSub%20Dir/Time%20%26%20100%25%20%231.wav\n"
PLAIN = f"{BLUE}\n{SUB}\n"


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    for name in (BLUE, SUB):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_tone(folder / name, seconds=1, hertz=220, level_dbfs=-20)
    return folder


def scanned(root: Path, tmp_path: Path) -> dict[str, FileRow]:
    cache = TrackCache(tmp_path / "cache" / "library.sqlite")
    try:
        roots = [os.path.realpath(root)]
        Scanner(cache, roots, lambda _path: None).sync()
        return {row.path: row for row in cache.rows(roots)}
    finally:
        cache.close()


def played(root: Path, tmp_path: Path) -> set[str]:
    folder = os.path.realpath(root.parent)
    rows = scanned(root, tmp_path).values()
    return {
        unicodedata.normalize("NFC", os.path.relpath(row.path, folder)) for row in rows if row.reason is None
    }


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("latin-1"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        b"#EXTM3U\n#EXTENC: ISO-8859-1\n" + PLAIN.encode("latin-1"),
        b"#EXTM3U\n#EXTENC:cp850\n" + PLAIN.encode("cp850"),
        b"#EXTENC:no such thing\n" + PLAIN.encode(),
        b"#EXTENC:zlib_codec\n" + PLAIN.encode(),
        unicodedata.normalize("NFD", PLAIN).encode(),
        PLAIN.upper().encode(),
        PLAIN.replace("\n", "\r\n").encode("cp1252"),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace("/", "\\").encode(),
        ENCODED.encode(),
        ENCODED.replace("%C3%96", "%D6").encode(),
        "".join(f"file://localhost/there/is/no/such/{line}\n" for line in ENCODED.split()).encode(),
        "".join(f"C:\\Users\\Joe\\Music\\{line}\n" for line in PLAIN.splitlines())
        .replace("/", "\\")
        .encode(),
        "".join(f'"{line}"\n' for line in PLAIN.splitlines()).encode(),
    ],
)
def test_an_m3u_of_any_writing_plays_both_tracks(music: Path, tmp_path: Path, content: bytes) -> None:
    playlist = music / "list.m3u"
    playlist.write_bytes(content)
    assert played(playlist, tmp_path) == {BLUE, SUB}


@pytest.mark.parametrize(
    "content",
    [
        f"[playlist]\nFile1={BLUE}\nthis line is no entry\n\nfile2 = {SUB}\nLENGTH2=-1\n",
        f"[Playlist]\r\nFILE02={SUB}\r\nFile01={BLUE}\r\nNumberOfEntries=2\r\nVersion=2\r\n",
    ],
)
def test_a_pls_plays_both_tracks_whatever_stands_between(music: Path, tmp_path: Path, content: str) -> None:
    playlist = music / "list.pls"
    playlist.write_text(content, encoding="utf-8")
    assert played(playlist, tmp_path) == {BLUE, SUB}


@pytest.mark.parametrize(
    "head",
    [
        '<playlist version="1" xmlns="http://xspf.org/ns/0/">',
        '<playlist version="1">',
        '<x:playlist version="1" xmlns:x="http://xspf.org/ns/0/">',
    ],
)
def test_an_xspf_track_with_several_places_plays_the_one_that_is_there(
    music: Path, tmp_path: Path, head: str
) -> None:
    x = "x:" if "<x:" in head else ""
    one, two = ENCODED.split()
    tracks = "".join(
        f"<{x}track>" + "".join(f"<{x}location>{place}</{x}location>" for place in places) + f"</{x}track>"
        for places in (("gone.wav", "http://127.0.0.1:9/a.mp3", one), (two, "http://127.0.0.1:9/b.mp3"))
    )
    playlist = music / "list.xspf"
    document = f"<?xml version='1.0'?>{head}<{x}trackList>{tracks}</{x}trackList></{x}playlist>"
    playlist.write_text(document.replace("&", "&amp;"), encoding="utf-8")
    assert played(playlist, tmp_path) == {BLUE, SUB}


def test_xml_base_leads_to_the_folder_of_the_tracks(music: Path, tmp_path: Path) -> None:
    playlist = music / "list.xspf"
    playlist.write_text(
        '<playlist xmlns="http://xspf.org/ns/0/" xml:base="Sub%20Dir/"><trackList><track>'
        "<location>Time%20%26%20100%25%20%231.wav</location></track></trackList></playlist>"
    )
    assert played(playlist, tmp_path) == {SUB}


def test_a_file_whose_name_looks_encoded_is_meant_as_it_is_written(music: Path, tmp_path: Path) -> None:
    write_tone(music / "100%25 live.wav", seconds=1, hertz=220, level_dbfs=-20)
    playlist = music / "list.m3u"
    playlist.write_text("100%25 live.wav\n")
    assert played(playlist, tmp_path) == {"100%25 live.wav"}


def test_what_a_playlist_names_in_vain_is_listed_with_a_reason(music: Path, tmp_path: Path) -> None:
    outside = write_tone(tmp_path / "outside.wav", seconds=1, hertz=220, level_dbfs=-20)
    playlist = music / "list.m3u"
    playlist.write_text(
        f"mms://joe:secret@radio.example/a\nRTSP://radio.example/b\ngone.mp3\n{outside}\n{BLUE}\n"
    )
    rows = scanned(playlist, tmp_path)
    reasons = {os.path.basename(path): row.reason or "" for path, row in rows.items()}  # noqa: PTH119
    assert "mms addresses cannot be played" in reasons["a"]
    assert "rtsp addresses cannot be played" in reasons["b"]
    assert "no such file" in reasons["gone.mp3"]
    assert "outside the folder" in reasons["outside.wav"]
    assert reasons[BLUE] == ""
    assert not any("secret" in path for path in rows)


def test_a_length_is_taken_from_any_kind_of_list() -> None:
    m3u = read_playlist(
        b"#EXTINF:1834.5,Talk\nhttp://a.example/x.mp3\n#EXTINF:-1,Radio\nhttp://a.example/y\n", "a.m3u"
    )
    pls = read_playlist(b"[playlist]\nFile1=http://a.example/x.mp3\nLength1=60\n", "a.pls")
    xspf = read_playlist(
        b"<playlist><trackList><track><location>http://a.example/x.mp3</location><duration>61500</duration>"
        b"</track></trackList></playlist>",
        "a.xspf",
    )
    assert [entry.duration_s for entry in (*m3u, *pls, *xspf)] == [1834.5, 0.0, 60.0, 61.5]


def test_the_episodes_of_a_feed_have_titles_and_lengths() -> None:
    feed = (
        b'<?xml version="1.0"?><rss xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'
        b"<title>The Show</title><item><title>Two</title><itunes:duration>1:02:03</itunes:duration>"
        b'<enclosure url="http://a.example/2.mp3" type="audio/mpeg"/></item>'
        b'<item><title>Notes</title><enclosure url="http://a.example/n.jpg" type="image/jpeg"/></item>'
        b'<item><title>One</title><enclosure url="http://a.example/1.mp3" type=""/></item></channel></rss>'
    )
    found = [(one.location, one.title, one.duration_s) for one in read_playlist(feed, "feed.xml")]
    assert found == [("http://a.example/2.mp3", "Two", 3723.0), ("http://a.example/1.mp3", "One", 0.0)]


def test_a_list_is_known_by_what_it_holds_not_by_its_ending() -> None:
    assert [e.location for e in read_playlist(b"[playlist]\nFile1=http://a.example/x\n", "a.m3u")] == [
        "http://a.example/x"
    ]


def test_moods_in_lists_may_have_decimal_commas_and_capitals() -> None:
    content = b'#EXTINF:-1 Arousal="0,5" VALENCE="-0,25",One\nhttp://a.example/x\n'
    mood = read_playlist(content, "a.m3u")[0].mood
    assert mood is not None
    assert (mood.valence, mood.arousal) == (-0.25, 0.5)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    "sidecar",
    [
        "path,arousal\n{}\n".format(f'{BLUE},"0,5"'),
        f"path;arousal\n{BLUE};0,5\n",
        f"path\tarousal\n{BLUE}\t0.5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_sidecar_of_any_writing_fits(
    music: Path, tmp_path: Path, form: str, sidecar: str, encoding: str
) -> None:
    (music / BLUE).rename(music / unicodedata.normalize("NFD" if form == "NFC" else "NFC", BLUE))
    written = sidecar if encoding == "cp1252" else unicodedata.normalize(form, sidecar)
    (music / "moods.csv").write_bytes(written.encode(encoding))
    rows = scanned(music, tmp_path)
    given = [row.given for path, row in rows.items() if "yster" in path]
    assert [(one.source, one.arousal) for one in given if one is not None] == [("sidecar", 0.5)]
    assert not [row.reason for row in rows.values() if row.reason]


def test_a_row_that_fits_nothing_is_told(music: Path, tmp_path: Path) -> None:
    (music / "moods.csv").write_text("path,arousal\nGone.wav,0.5\n*.wav,0.1\n")
    rows = scanned(music, tmp_path)
    reasons = [row.reason for path, row in rows.items() if path.endswith("moods.csv")]
    assert reasons == ["no track fits the row 'Gone.wav'"]
