"""What a person typed, checked and turned into settings; a refusal is one line naming thing and rule."""

from __future__ import annotations

import math
import re
import socket
from pathlib import Path
from typing import Literal
from urllib.parse import unquote, urlsplit

from daemon.errors import BadInputError
from daemon.places import is_there
from daemon.settings import BrokerSettings, WebSettings
from player.location import quoted, split_login

MAX_LOOKED_AT = 200_000
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?")
_UNIT_S = {None: 1.0, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """``90s``, ``2m``, ``1.5h`` or plain seconds. Raises ``BadInputError``."""
    found = _DURATION.fullmatch(text.strip())
    seconds = float(found[1]) * _UNIT_S[found[2]] if found else 0.0
    if not 0 < seconds < math.inf:
        raise BadInputError(f"duration {quoted(text, 60)} must be a positive time such as 90s, 2m or 1h")
    return seconds


def parse_speed(text: str) -> float | None:
    """A factor of real time, or ``max`` (None). Raises ``BadInputError``."""
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not 0.01 <= speed <= 1000:
        raise BadInputError(f"speed {quoted(text, 60)} must be a number from 0.01 to 1000, or max")
    return speed


def parse_baseline(text: str) -> float | Literal["last"]:
    """Seconds of guided rest, ``last`` or ``none``. Raises ``BadInputError``."""
    if text == "last":
        return "last"
    if text == "none":
        return 0.0
    try:
        seconds = float(text.removesuffix("s"))
    except ValueError:
        seconds = math.nan
    if not 5 <= seconds <= 600:
        raise BadInputError(f"baseline {quoted(text, 60)} must be 5 to 600 seconds, last or none")
    return seconds


def parse_broker(text: str) -> BrokerSettings:
    """``mqtt[s]://[USER[:PASSWORD]@]HOST[:PORT]``; a password may hold anything. Raises ``BadInputError``."""
    login, address = split_login(text, has_path=False)
    rule = f"broker {quoted(address, 120)} must look like mqtt://HOST:PORT or mqtts://HOST:PORT"
    if "://" not in text:
        raise BadInputError("broker must look like mqtt://HOST:PORT or mqtts://HOST:PORT")
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError as error:
        raise BadInputError(f"{rule} ({error})") from None
    beside = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname or beside:
        raise BadInputError(rule)
    tls = parts.scheme == "mqtts"
    name, _, password = login.partition(":")
    return BrokerSettings(
        host=parts.hostname,
        port=port or (8883 if tls else 1883),
        tls=tls,
        username=unquote(name) if name else None,
        password=unquote(password) if password else None,
    )


def parse_web(text: str) -> WebSettings:
    """``HOST:PORT``, ``:PORT`` or ``PORT``. Raises ``BadInputError``."""
    host, _, port = text.rpartition(":")
    if re.fullmatch("[0-9]{1,5}", port) is None or not 0 < int(port) < 65536:
        raise BadInputError(f"web address {quoted(text, 120)} must be HOST:PORT with a port from 1 to 65535")
    return WebSettings(host=host.strip("[]") or "127.0.0.1", port=int(port))


def check_listen(host: str, port: int, what: str) -> None:
    """Raises ``BadInputError`` when nothing could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise BadInputError(f"{what} {host}:{port} cannot be used: {error.strerror or error}") from None


def check_output(text: str) -> str:
    """An output as the player knows them, with a file's path made absolute. Raises ``BadInputError``."""
    from player.outputs.output_spec import OutputError, make_sink, split_outputs

    try:
        parts = split_outputs(text)
        for part in parts:
            make_sink(part)
    except OutputError as error:
        raise BadInputError(str(error)) from None
    return ",".join(_absolute(part) for part in parts)


def _absolute(output: str) -> str:
    from player.outputs.output_spec import is_file

    kind, _, path = output.partition(":")
    return f"{kind}:{Path(path).resolve()}" if is_file(output) else output


def check_music(text: str) -> str:
    """A playlist, or a folder that holds something which might be played. Raises ``BadInputError``."""
    from player.library.music_folder import AUDIO_SUFFIXES, PLAYLIST_SUFFIXES, SOURCE_SUFFIXES

    playlists = ", ".join(sorted(PLAYLIST_SUFFIXES))
    folder = Path(text)
    if "://" in text:
        raise BadInputError(
            f"music {quoted(text, 200)} is an address: write it into a playlist ({playlists}) and name that"
        )
    if not is_there(folder):
        raise BadInputError(f"music folder {quoted(text, 200)} does not exist")
    if not folder.is_dir():
        if folder.suffix.lower() in PLAYLIST_SUFFIXES | SOURCE_SUFFIXES:
            return str(folder.resolve())
        raise BadInputError(
            f"music folder {quoted(text, 200)} is neither a folder nor a playlist ({playlists})"
        )
    wanted = AUDIO_SUFFIXES | PLAYLIST_SUFFIXES
    for number, path in enumerate(folder.rglob("*")):
        if path.suffix.lower() in wanted and path.is_file():
            return str(folder.resolve())
        if number > MAX_LOOKED_AT:
            return str(folder.resolve())
    raise BadInputError(
        f"music folder {quoted(text, 200)} holds nothing playable: "
        "it needs files such as .mp3, .flac, .ogg, .opus, .wav or .m4a"
    )


def check_lsl_name(text: str) -> str:
    """A name for an LSL stream. Raises ``BadInputError``."""
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", text) is None:
        raise BadInputError(f"LSL name {quoted(text)} must be 1 to 64 letters, digits, dots, - and _")
    return text


def check_target(text: str) -> str:
    """A target by name or as a point. Raises ``BadInputError``."""
    from player.choice.targets import UnknownTargetError, parse_target

    try:
        parse_target(text)
    except UnknownTargetError as error:
        raise BadInputError(str(error)) from None
    return text


def check_source(text: str) -> str:
    """A source that could be opened, as far as can be told without opening it. Raises ``BadInputError``."""
    from acquisition.opening import check_source as check_spec
    from acquisition.port import SourceError
    from acquisition.source_spec import parse_source

    try:
        check_spec(parse_source(text))
    except (SourceError, ValueError, OSError) as error:
        raise BadInputError(str(error)) from None
    return text
