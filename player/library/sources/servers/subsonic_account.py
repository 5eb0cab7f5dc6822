"""The file that names a Subsonic server: address, user and password, for its owner's eyes alone."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from player.private_file import read_private

StreamFormat = Literal["raw", "mp3", "opus", "ogg", "flac", "aac"]
Login = Literal["token", "password"]
MAX_CHARS = 500


class AccountError(ValueError):
    """The file does not name a server. The message names the key and the rule, and no password."""


@dataclass(frozen=True, slots=True)
class Account:
    """Where to ask, as whom, and what for. ``format`` raw: the file as it lies there."""

    address: str
    user: str
    password: str = field(repr=False)
    login: Login = "token"
    """``password`` for servers that know no tokens: each request carries it, so only where nobody listens."""
    format: StreamFormat = "raw"
    bitrate_kbit: int = 0
    """At most so much, where the server makes another form of it; 0: as it likes."""
    ca_file: Path | None = None
    """Whose certificates are believed, beside those of the system."""
    redirects_inside: bool = False
    """Whether the server may lead to another host of the home network."""
    write_likes: bool = False


def read_account(path: Path) -> Account:
    """An account from a TOML file of mode 0600. Raises PrivateFileError, AccountError."""
    try:
        table = tomllib.loads(read_private(path))
    except tomllib.TOMLDecodeError as error:
        # the line that is wrong may be the one with the password: where it is has to do
        where = str(error).rpartition("(")[2].rstrip(")")
        raise AccountError(f"{path}: is no TOML ({where})") from None
    try:
        account = msgspec.convert(table, _Written)
    except msgspec.ValidationError as error:
        raise AccountError(f"{path}: {error}") from None
    ca_file = path.parent / account.ca_file if account.ca_file else None
    if ca_file is not None and not ca_file.is_file():
        raise AccountError(f"{path}: ca_file {account.ca_file!r:.100} is no file")
    _check(path, account)
    return Account(
        address=account.address.rstrip("/"),
        user=account.user,
        password=account.password,
        login=account.login,
        format=account.format,
        bitrate_kbit=account.bitrate_kbit,
        ca_file=ca_file,
        redirects_inside=account.redirects_inside,
        write_likes=account.write_likes,
    )


class _Written(msgspec.Struct, forbid_unknown_fields=True):
    address: str
    user: str
    password: str
    login: Login = "token"
    format: StreamFormat = "raw"
    bitrate_kbit: int = 0
    ca_file: str = ""
    redirects_inside: bool = False
    write_likes: bool = False


def _check(path: Path, account: _Written) -> None:
    try:
        parts = urlsplit(account.address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.username is not None or parts.query or parts.fragment or _strange(account.address):
        raise AccountError(f"{path}: address must be http(s)://HOST[:PORT][/PATH] and nothing else")
    for key, value in (("user", account.user), ("password", account.password)):
        if not value or _strange(value):
            raise AccountError(f"{path}: {key} must be 1 to {MAX_CHARS} printable characters")
    if not 0 <= account.bitrate_kbit <= 2000:
        raise AccountError(f"{path}: bitrate_kbit must be 0 to 2000, got {account.bitrate_kbit}")
    if account.login == "password" and parts.scheme == "http" and not _is_this_machine(parts.hostname or ""):
        raise AccountError(
            f'{path}: login = "password" needs an https address: anybody could read it on the way'
        )


def _is_this_machine(host: str) -> bool:
    return host == "localhost" or host.startswith("127.") or host == "::1"


def _strange(text: str) -> bool:
    return len(text) > MAX_CHARS or not text.isprintable()
