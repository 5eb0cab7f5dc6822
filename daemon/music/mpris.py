"""Media keys and the desktop's own controls: what plays as an MPRIS player on the session bus."""

# no postponed annotations: dbus-fast reads the types of its methods from them, "None" among them not

import asyncio
import contextlib
import logging
import os
from typing import Annotated, Any, Protocol

from dbus_fast import DBusError, ErrorType, PropertyAccess, Variant
from dbus_fast.aio import MessageBus
from dbus_fast.annotations import (
    DBusBool,
    DBusDict,
    DBusDouble,
    DBusInt64,
    DBusObjectPath,
    DBusSignature,
    DBusStr,
)
from dbus_fast.constants import RequestNameReply
from dbus_fast.service import ServiceInterface, dbus_method, dbus_property, dbus_signal

from player.music import PlaybackState

PATH = "/org/mpris/MediaPlayer2"
NAME = "org.mpris.MediaPlayer2.neuroplayer"
LOOK_S = 0.25
AGAIN_S = 30.0
US = 1_000_000
JUMP_S = 1.5
"""A place so far from where the music would have come by itself was gone to."""

DBusTexts = Annotated[list[str], DBusSignature("as")]

log = logging.getLogger(__name__)
_READ = PropertyAccess.READ


class DesktopMusic(Protocol):
    """The running playback as the desktop sees it. Every call returns at once."""

    def skip(self) -> None: ...

    def pause(self, paused: bool | None) -> None: ...

    def seek(self, position_s: float) -> None: ...

    def set_volume(self, volume: float) -> None: ...

    def state(self) -> PlaybackState: ...


class RootInterface(ServiceInterface):
    """Who this is. It has no window, opens nothing, and is ended where it was begun."""

    def __init__(self) -> None:
        super().__init__("org.mpris.MediaPlayer2")

    @dbus_method(name="Raise")
    def show(self) -> None:
        """Nothing to show."""

    @dbus_method(name="Quit")
    def end(self) -> None:
        """Not from here."""

    @dbus_property(_READ, name="CanQuit")
    def can_quit(self) -> DBusBool:
        """No."""
        return False

    @dbus_property(_READ, name="CanRaise")
    def can_raise(self) -> DBusBool:
        """No."""
        return False

    @dbus_property(_READ, name="HasTrackList")
    def has_track_list(self) -> DBusBool:
        """What is next follows the mood."""
        return False

    @dbus_property(_READ, name="Identity")
    def identity(self) -> DBusStr:
        """The name that is shown."""
        return "neuroplayer"

    @dbus_property(_READ, name="SupportedUriSchemes")
    def schemes(self) -> DBusTexts:
        """None."""
        return []

    @dbus_property(_READ, name="SupportedMimeTypes")
    def types(self) -> DBusTexts:
        """None."""
        return []


class PlayerInterface(ServiceInterface):
    """What plays, and the buttons."""

    def __init__(self, music: DesktopMusic) -> None:
        super().__init__("org.mpris.MediaPlayer2.Player")
        self._music = music

    @dbus_method(name="Next")
    def next(self) -> None:
        """The next track."""
        self._music.skip()

    @dbus_method(name="Previous")
    def previous(self) -> None:
        """There is none: music follows the mood."""

    @dbus_method(name="Pause")
    def pause(self) -> None:
        """Pause."""
        self._music.pause(True)

    @dbus_method(name="Play")
    def play(self) -> None:
        """Go on."""
        self._music.pause(False)

    @dbus_method(name="PlayPause")
    def turn(self) -> None:
        """The other of the two."""
        self._music.pause(None)

    @dbus_method(name="Stop")
    def stop(self) -> None:
        """Pause: a session ends where it was begun."""
        self._music.pause(True)

    @dbus_method(name="Seek")
    def seek_by(self, offset: DBusInt64) -> None:
        """By so many microseconds; past the end to the next track."""
        self._seek(self._music.state().position_s + offset / US)

    @dbus_method(name="SetPosition")
    def seek_to(self, track: DBusObjectPath, position: DBusInt64) -> None:
        """To a place in the track, if it still is that one and has such a place."""
        state = self._music.state()
        duration_s = 0.0 if state.track is None else state.track.duration_s
        if track == track_path(state) and 0 <= position / US <= duration_s:
            self._seek(position / US)

    @dbus_method(name="OpenUri")
    def open(self, uri: DBusStr) -> None:
        """Nothing is opened from here. Raises DBusError."""
        raise DBusError(ErrorType.NOT_SUPPORTED, "music is chosen from the library")

    def _seek(self, position_s: float) -> None:
        track = self._music.state().track
        if track is None or not track.duration_s:
            return
        if position_s >= track.duration_s:
            self._music.skip()
        else:
            self._music.seek(max(0.0, position_s))

    @dbus_signal(name="Seeked")
    def seeked(self, position: DBusInt64) -> DBusInt64:
        """The place was changed by somebody."""
        return position

    @dbus_property(_READ, name="PlaybackStatus")
    def status(self) -> DBusStr:
        """Playing, Paused, or Stopped before anything plays."""
        return shown(self._music.state())["PlaybackStatus"].value  # type: ignore[no-any-return]

    @dbus_property(_READ, name="Metadata")
    def metadata(self) -> DBusDict:
        """What plays."""
        return metadata_of(self._music.state())

    @dbus_property(PropertyAccess.READWRITE, name="Volume")
    def volume(self) -> DBusDouble:
        """A linear gain, 0 to 1."""
        return self._music.state().volume

    @volume.setter
    def volume_set(self, volume: DBusDouble) -> None:
        """What is out of range is brought into it, as the standard has it."""
        self._music.set_volume(min(1.0, max(0.0, volume)) if volume == volume else 0.0)

    @dbus_property(_READ, name="Position")
    def position(self) -> DBusInt64:
        """Microseconds."""
        return round(self._music.state().position_s * US)

    @dbus_property(_READ, name="Rate")
    def rate(self) -> DBusDouble:
        """As it was played."""
        return 1.0

    @dbus_property(_READ, name="MinimumRate")
    def least_rate(self) -> DBusDouble:
        """No slower."""
        return 1.0

    @dbus_property(_READ, name="MaximumRate")
    def most_rate(self) -> DBusDouble:
        """No faster."""
        return 1.0

    @dbus_property(_READ, name="CanGoNext")
    def can_go_next(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(_READ, name="CanGoPrevious")
    def can_go_previous(self) -> DBusBool:
        """Never."""
        return False

    @dbus_property(_READ, name="CanPlay")
    def can_play(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(_READ, name="CanPause")
    def can_pause(self) -> DBusBool:
        """Always."""
        return True

    @dbus_property(_READ, name="CanSeek")
    def can_seek(self) -> DBusBool:
        """In what has a length."""
        return bool(shown(self._music.state())["CanSeek"].value)

    @dbus_property(_READ, name="CanControl")
    def can_control(self) -> DBusBool:
        """Always."""
        return True


def track_path(state: PlaybackState) -> str:
    """What the bus calls a track."""
    if state.track is None:
        return "/org/mpris/MediaPlayer2/TrackList/NoTrack"
    return f"/org/neuroplayer/track/{state.track.id.encode('utf-8', 'replace').hex()}"


def metadata_of(state: PlaybackState) -> dict[str, Variant]:
    """Title, artist and length; no path and no address."""
    track = state.track
    found = {"mpris:trackid": Variant("o", track_path(state))}
    if track is not None:
        found["xesam:title"] = Variant("s", _text(track.title))
        if track.artist:
            found["xesam:artist"] = Variant("as", [_text(track.artist)])
        if track.duration_s:
            found["mpris:length"] = Variant("x", round(track.duration_s * US))
    return found


def shown(state: PlaybackState) -> dict[str, Variant]:
    """What everybody on the bus is told when it changes."""
    status = "Stopped" if state.track is None else "Paused" if state.paused else "Playing"
    return {
        "PlaybackStatus": Variant("s", status),
        "Metadata": Variant("a{sv}", metadata_of(state)),
        "Volume": Variant("d", state.volume),
        "CanSeek": Variant("b", state.track is not None and bool(state.track.duration_s)),
    }


def _text(words: str) -> str:
    """What the bus takes: whole letters, and no zero among them."""
    return words.encode("utf-8", "replace").decode("utf-8").replace("\0", " ")


async def serve_mpris(music: DesktopMusic, again_s: float = AGAIN_S) -> None:
    """Be there for the desktop until cancelled; where there is no bus, look again now and then."""
    if "DBUS_SESSION_BUS_ADDRESS" not in os.environ:
        return
    told = False
    while True:
        try:
            bus = await MessageBus().connect()
        except Exception as error:  # noqa: BLE001 - the library raises as it likes; the music goes on
            if not told:
                log.info("no media keys: the session bus cannot be reached (%s)", type(error).__name__)
            told = True
        else:
            try:
                await _served(bus, music)
            except (OSError, EOFError, DBusError) as error:
                log.info("the session bus has gone (%s)", type(error).__name__)
            finally:
                bus.disconnect()
        await asyncio.sleep(again_s)


async def _served(bus: MessageBus, music: DesktopMusic) -> None:
    player = PlayerInterface(music)
    bus.export(PATH, RootInterface())
    bus.export(PATH, player)
    if await bus.request_name(NAME) not in (RequestNameReply.PRIMARY_OWNER, RequestNameReply.ALREADY_OWNER):
        await bus.request_name(f"{NAME}.instance{os.getpid()}")
    gone = asyncio.ensure_future(bus.wait_for_disconnect())  # type: ignore[no-untyped-call]
    before = shown(music.state())
    loop = asyncio.get_running_loop()
    at_s, place_s = loop.time(), music.state().position_s
    try:
        while not gone.done():
            await asyncio.wait([gone], timeout=LOOK_S)
            state = music.state()
            now = shown(state)
            changed: dict[str, Any] = {key: value.value for key, value in now.items() if before[key] != value}
            if changed:
                player.emit_properties_changed(changed)
            passed_s = 0.0 if state.paused else loop.time() - at_s
            if "Metadata" not in changed and abs(state.position_s - place_s - passed_s) > JUMP_S:
                player.seeked(round(state.position_s * US))
            before, at_s, place_s = now, loop.time(), state.position_s
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await gone
