"""Where something lies: a path or an address, as a machine needs it and as a person may see it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from urllib.parse import urlsplit

_USER = re.compile(r"(\w[\w+.-]*://)[^\n]*@")
_USER_WITHOUT_SCHEME = re.compile(r"[^\s'\"/@:,=]+:[^\s'\"]*@(?=[\w\[])")


def without_secrets(text: str) -> str:
    """The text with ``***`` in place of the name and password of every address in it.

    Passwords may hold anything, ``@`` and ``/`` too, so all up to the last ``@`` of a line goes.
    """
    return _USER_WITHOUT_SCHEME.sub("***@", _USER.sub(r"\1***@", text)) if "@" in text else text


@dataclass(frozen=True, slots=True)
class Location:
    """A path or an address. ``whole`` is for opening it; any text that it is put into gets ``printable``."""

    whole: str = field(repr=False)

    @property
    def printable(self) -> str:
        """A path's last part; an address without name, password, query and fragment."""
        scheme, found, rest = self.whole.partition("://")
        if not found:
            return PurePath(self.whole.replace("\\", "/")).name
        if scheme.lower() == "file":
            return PurePath(rest).name
        try:
            parts = urlsplit(f"{scheme}://{rest.rpartition('@')[2]}")
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
    if not colon or "/" not in rest:
        return without_secrets(spec)
    return f"{kind}:{','.join(_option(part) for part in rest.split(','))}"


def _option(text: str) -> str:
    key, is_, value = text.partition("=")
    return f"{key}={Location(value)}" if is_ and "/" not in key else f"{Location(text)}"


_PATH = re.compile(r"(?<![\w./:])/(?:[^\s/'\"]+/)+([^\s/'\"]*)")


def printable_text(text: str) -> str:
    """A sentence without secrets, and with the last part only of every path in it."""
    return _PATH.sub(r"\1", without_secrets(text))
