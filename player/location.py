"""Where something lies: a path or an address, as a machine needs it and as a person may see it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import quote, urlsplit

_USER = re.compile(r"(\w[\w+.-]*://)[^\n]*@")
_USER_WITHOUT_SCHEME = re.compile(r"[^\s'\"/@:,=]+:[^\s'\"]*@(?=[\w\[])")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+(?:%[^\]\s]+)?\]|[^\s:@\[\]]+)(?::[0-9]{1,5})?")
_CERTAIN_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|localhost|[\w-]+(?:\.[\w-]+)+\.?)(?::[0-9]{0,5})?", re.I)
"""One with a dot or in brackets: what is written so before a ``/`` is no user's name."""
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def split_login(address: str, *, has_path: bool = True) -> tuple[str, str]:
    """(``USER[:PASSWORD]`` or nothing, the address without it).

    A password may hold anything, also ``@``, ``/``, ``?`` and ``#``: the login ends at the last ``@``. Only
    where a host stands before the path that can be nothing else does an ``@`` belong to the path.
    """
    scheme, found, rest = address.partition("://")
    login, at, host = rest.rpartition("@")
    if not found or not at or (has_path and _CERTAIN_HOST.fullmatch(_authority(rest))):
        return "", address
    return login, f"{scheme}://{host}"


def without_login(location: str) -> str:
    """An address without user and password; anything else as it is."""
    return split_login(location)[1]


def openable(address: str) -> str:
    """The address as every program reads it: what would end a login before its time is written as ``%2F``."""
    scheme, found, rest = address.partition("://")
    if not found or "@" not in rest:
        return address
    authority = _authority(rest)
    login, at, host = authority.rpartition("@")
    beyond = rest[len(authority) :]
    if not _HOST.fullmatch(host) or (at and "@" in beyond and not _CERTAIN_HOST.fullmatch(host)):
        login, at, host = rest.rpartition("@")  # the address as it stands is none, or hardly the one meant
        beyond = ""
    user, colon, password = login.partition(":")
    return f"{scheme}://{_escaped(user)}{colon}{_escaped(password)}{at}{host}{beyond}"


def _authority(rest: str) -> str:
    return re.split(r"[/?#]", rest, maxsplit=1)[0]


def _escaped(text: str) -> str:
    return quote(_ESCAPE.sub("%25", text), safe="%!$&'()*+,;=~")


def without_secrets(text: str) -> str:
    """The text with ``***`` in place of the name and password of every address in it.

    Passwords may hold anything, ``@`` and ``/`` too, so all up to the last ``@`` of a line goes.
    """
    return _USER_WITHOUT_SCHEME.sub("***@", _USER.sub(r"\1***@", text)) if "@" in text else text


def quoted(text: object, limit: int = 80) -> str:
    """What a person gave, in quotes and no longer than ``limit``: secrets go first, or half of one stays."""
    return repr(without_secrets(str(text)))[:limit]


@dataclass(frozen=True, slots=True)
class Location:
    """A path or an address. ``whole`` is for opening it; any text that it is put into gets ``printable``."""

    whole: str = field(repr=False)

    @property
    def printable(self) -> str:
        """A path's last part; an address without name, password, query and fragment."""
        scheme, found, rest = self.whole.partition("://")
        if not found:
            return without_secrets(PurePath(self.whole.replace("\\", "/")).name)
        if scheme.lower() == "file":
            return PurePath(rest).name
        try:
            parts = urlsplit(without_login(self.whole))
        except ValueError:
            return f"{scheme}://"
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    def __str__(self) -> str:
        return self.printable


def printable_spec(spec: str) -> str:
    """``replay:/home/joe/a.csv`` -> ``replay:a.csv``: an input or output as a person may see it."""
    if "://" in spec:
        return Location(spec).printable
    kind, colon, rest = spec.partition(":")
    if spec.startswith("/"):
        return Location(spec).printable if spec.count("/") > 1 else spec
    if not colon or "/" not in rest:
        return without_secrets(spec)
    return f"{kind}:{','.join(_option(part) for part in rest.split(','))}"


_BEGUN = re.compile(r"[^/=:]+[=:](?=[^:])")


def _option(text: str) -> str:
    begun = _BEGUN.match(text)
    return f"{begun[0]}{Location(text[begun.end() :])}" if begun else f"{Location(text)}"


_FOLDER = r"/(?:[^\s/'\"](?:[^/'\"\n:,()]*[^\s/'\"])?/)+"
_QUOTED_PATH = re.compile(r"(['\"])/(?:[^'\"\n/]+/)+([^'\"\n/]*)\1")
_FILE_ADDRESS = re.compile(rf"\bfile://(?={_FOLDER})")
_PATH = re.compile(rf"(?<![\w./]){_FOLDER}([^\s/'\"]*)")


def printable_text(text: str) -> str:
    """A sentence without secrets, and with the last part only of every path in it."""
    if "/" not in text:
        return without_secrets(text)
    shown = _FILE_ADDRESS.sub("", _QUOTED_PATH.sub(r"\1\2\1", without_secrets(text)))
    return _PATH.sub(r"\1", shown)
