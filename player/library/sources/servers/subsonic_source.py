"""Music of an OpenSubsonic server: Navidrome, Gonic, supysonic, Ampache, Nextcloud Music and others."""

from __future__ import annotations

import hashlib
import http.client
import secrets
import time
from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, unquote, urlencode, urlsplit

import msgspec

from player.library.sources.servers.remote_file import RemoteBytes, RemoteFile
from player.library.sources.servers.source import SourceTrack
from player.library.sources.servers.source_errors import MusicServerError, TrackMissingError
from player.library.sources.servers.subsonic_account import Account
from player.library.sources.servers.web_requests import Rules, Web, words_of

PROTOCOL = "1.16.1"
PAGE = 500
MAX_TRACKS = 500_000
MAX_ANSWER_BYTES = 16 << 20
DEADLINE_S = 60.0
MAX_ID_CHARS = 500
NOT_FOUND = 70
NO_TOKENS = (10, 41, 42)
"""What servers answer that do not know tokens, or not for this user."""
SOUND = ("audio/", "video/", "application/ogg", "application/octet-stream", "binary/octet-stream")


class _Gain(msgspec.Struct, rename="camel"):
    track_gain: float | None = None
    track_peak: float | None = None


class _Song(msgspec.Struct, rename="camel"):
    id: str | int
    title: str = ""
    artist: str = ""
    album: str = ""
    album_id: str | int = ""
    display_album_artist: str = ""
    track: int = 0
    disc_number: int = 1
    duration: float = 0.0
    is_dir: bool = False
    is_video: bool = False
    starred: str | None = None
    replay_gain: _Gain | None = None


class _Found(msgspec.Struct):
    song: list[msgspec.Raw] = []


class _Error(msgspec.Struct):
    code: int = 0
    message: str = ""


class _Response(msgspec.Struct, rename={"search": "searchResult3"}):
    status: str = ""
    error: _Error | None = None
    search: _Found | None = None


class _Envelope(msgspec.Struct, rename={"response": "subsonic-response"}):
    response: _Response


class SubsonicSource:
    """One account. The password is sent as salted token only, and stands in no location and no message."""

    def __init__(self, account: Account) -> None:
        """Raises MusicServerError for certificates that cannot be read."""
        self._account = account
        self._web = Web(Rules(account.ca_file, account.redirects_inside))
        parts = urlsplit(account.address)
        self._place = f"subsonic://{parts.netloc}{parts.path}/"

    def tracks(self) -> Iterator[SourceTrack]:
        """All songs, by pages of an empty search, which OpenSubsonic answers with everything."""
        seen: set[str] = set()
        for first in range(0, MAX_TRACKS, PAGE):
            found = self._ask(
                "search3", query="", songCount=PAGE, songOffset=first, artistCount=0, albumCount=0
            )
            page = [] if found.search is None else found.search.song
            fresh = [track for track in map(self._track, page) if track and track.location not in seen]
            seen.update(track.location for track in fresh)
            yield from fresh
            # a server that says the same page for ever has no more, whatever it says
            if len(page) < PAGE or not fresh:
                return

    def _track(self, raw: msgspec.Raw) -> SourceTrack | None:
        """None for what is no song, or is none as the protocol has it: the others are played."""
        try:
            song = msgspec.json.decode(raw, type=_Song, strict=False)
        except msgspec.DecodeError:
            return None
        name = str(song.id)
        if song.is_dir or song.is_video or not name or len(name) > MAX_ID_CHARS:
            return None
        gain = song.replay_gain or _Gain()
        return SourceTrack(
            location=f"{self._place}{quote(name, safe='')}",
            title=song.title,
            artist=song.artist,
            album=song.album,
            duration_s=song.duration,
            gain_db=gain.track_gain,
            peak=gain.track_peak,
            liked=bool(song.starred),
            album_artist=song.display_album_artist or str(song.album_id),
            part=_part(song),
        )

    def open(self, location: str, *, ahead: bool = False) -> RemoteFile:
        """The file as it lies there, or in the form that the account asks for."""
        account, song = self._account, self._song_of(location)
        wanted: dict[str, str | int] = {"id": song, "format": account.format}
        if account.bitrate_kbit:
            wanted["maxBitRate"] = account.bitrate_kbit
        return RemoteFile(RemoteBytes(partial(self._stream, wanted), ahead=ahead))

    def like(self, location: str, liked: bool) -> None:
        """Star it, or take the star back, where the account says ``write_likes``."""
        if self._account.write_likes:
            self._ask("star" if liked else "unstar", id=self._song_of(location))

    def _song_of(self, location: str) -> str:
        if not location.startswith(self._place):
            raise TrackMissingError("the track is of another server")
        return unquote(location.removeprefix(self._place))

    def _stream(self, wanted: dict[str, str | int], from_byte: int | None) -> http.client.HTTPResponse:
        answer = self._web.get(self._url("stream", wanted), from_byte)
        kind = answer.headers.get_content_type()
        if kind.startswith(SOUND):
            return answer
        try:
            self._checked(answer)
        finally:
            answer.close()
        raise MusicServerError(f"the server answers with {kind:.60} instead of sound")

    def _url(self, call: str, parameters: dict[str, str | int]) -> str:
        who = {"u": self._account.user, "v": PROTOCOL, "c": "neuroplayer", "f": "json", **self._login()}
        return f"{self._account.address}/rest/{call}.view?{urlencode({**who, **parameters})}"

    def _login(self) -> dict[str, str]:
        password = self._account.password
        if self._account.login == "password":
            return {"p": f"enc:{password.encode().hex()}"}
        salt = secrets.token_hex(8)
        # the protocol's own choice; it keeps the password off the wire, and TLS keeps the token off it
        return {"t": hashlib.md5(f"{password}{salt}".encode()).hexdigest(), "s": salt}  # noqa: S324

    def _ask(self, call: str, **parameters: str | int) -> _Response:
        answer = self._web.get(self._url(call, parameters))
        try:
            return self._checked(answer)
        finally:
            answer.close()

    def _checked(self, answer: http.client.HTTPResponse) -> _Response:
        kind = answer.headers.get_content_type()
        try:
            response = msgspec.json.decode(_body(answer), type=_Envelope, strict=False).response
        except msgspec.DecodeError:
            raise MusicServerError(f"the server answers with {kind:.60}, not as Subsonic does") from None
        if response.status == "ok":
            return response
        error = response.error or _Error()
        said = " ".join("".join(c if c.isprintable() else " " for c in error.message).split())[:120]
        if error.code == NOT_FOUND:
            raise TrackMissingError("the server has this track no more")
        hint = '; if it knows no tokens: login = "password"' if error.code in NO_TOKENS else ""
        raise MusicServerError(f"the server refuses (error {error.code}: {said or 'it says nothing'}){hint}")


def _part(song: _Song) -> int:
    if not 0 < song.track < 1000:
        return 0
    return 1000 * min(max(1, song.disc_number), 99) + song.track


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Raises MusicServerError for what has no end."""
    until_s = time.monotonic() + DEADLINE_S
    content = bytearray()
    try:
        while part := answer.read1(1 << 16):
            content += part
            if len(content) > MAX_ANSWER_BYTES:
                raise MusicServerError(f"the server's answer is larger than {MAX_ANSWER_BYTES >> 20} MiB")
            if time.monotonic() > until_s:
                raise MusicServerError(f"the server's answer takes longer than {DEADLINE_S:g} s")
    except MusicServerError:
        raise
    except (OSError, http.client.HTTPException) as error:
        raise MusicServerError(words_of(error)) from None
    return bytes(content)
