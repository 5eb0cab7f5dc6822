"""Why a file is not played, whose fault that is, and when it is tried again."""

from __future__ import annotations

import errno
import importlib.metadata
from dataclasses import dataclass
from typing import Literal, get_args

from player.location import without_secrets
from player.reading.sound_opening import decoder_version
from player.reading.sound_reader import CodecMissingError, UnreadableAudioError

RefusalKind = Literal[
    "unreadable",
    "codec_missing",
    "crashed",
    "out_of_time",
    "disk_full",
    "unopenable",
    "left_aside",
    "fault",
]
KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)
PASSING: frozenset[RefusalKind] = frozenset({"crashed", "out_of_time", "disk_full"})
"""Kinds that another start may see gone: tried again then, ever more seldom."""
OURS: frozenset[RefusalKind] = frozenset({"fault", "disk_full"})
"""Nothing against the file: where its header is known it is played without having been measured."""
EACH_LOOK: frozenset[RefusalKind] = frozenset({"unopenable", "left_aside"})
"""Judged anew at each look at the folders: permissions change without the file changing."""
BACK_OFF_S = (0.0, 3600.0, 6 * 3600.0, 24 * 3600.0, 7 * 24 * 3600.0)
"""How long after the first, second ... failure a start may try again."""
MAX_DETAIL_CHARS = 300
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Refusal:
    """``detail`` is a codec's name for ``codec_missing``, last words for ``crashed`` and ``fault``."""

    kind: RefusalKind
    detail: str


@dataclass(frozen=True, slots=True)
class Versions:
    """What read the file: another product or decoder may read it better."""

    product: str
    decoder: str

    @classmethod
    def here(cls) -> Versions:
        """Of this process."""
        try:
            product = importlib.metadata.version("neuroplayer")
        except importlib.metadata.PackageNotFoundError:
            product = "unknown"
        return cls(product, decoder_version())


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last attempt at a refused file; ``tries`` counts those in a row that ended in the same way."""

    kind: str
    versions: Versions
    tries: int
    at_s: float


def is_due(attempt: Attempt | None, versions: Versions, begun_s: float, now_s: float) -> bool:
    """True if a session that began at ``begun_s`` may try the file again; times are of the wall clock."""
    if attempt is None or attempt.kind not in KINDS:
        return True  # written before refusals had a kind
    if attempt.kind in EACH_LOOK:
        return False
    if attempt.versions != versions or attempt.at_s > now_s:
        return True
    if attempt.at_s >= begun_s:
        return False
    back_off_s = BACK_OFF_S[min(attempt.tries, len(BACK_OFF_S)) - 1]
    return attempt.kind == "fault" or (attempt.kind in PASSING and now_s >= attempt.at_s + back_off_s)


def refusal_of(error: Exception) -> Refusal:
    """Whose fault it is: the file's, its decoder's, the machine's, or by elimination ours."""
    said = without_secrets(str(error))
    if isinstance(error, CodecMissingError):
        return Refusal("codec_missing", said)
    if isinstance(error, UnreadableAudioError):
        return Refusal("unreadable", said)
    if isinstance(error, MemoryError):
        return Refusal("crashed", "it needs too much memory")
    if isinstance(error, OSError):
        kind: RefusalKind = "disk_full" if error.errno in DISK_FULL else "unopenable"
        return Refusal(kind, error.strerror or said)
    words = (said.splitlines() or [""])[0]
    return Refusal("fault", f"{type(error).__name__}: {words}"[:MAX_DETAIL_CHARS])


def sentence(kind: str | None, detail: str) -> str:
    """The reason in words, for a person."""
    again = "it is tried again at a later start"
    if kind == "codec_missing":
        return f"is coded with {detail}, which nothing here can decode"
    if kind == "crashed":
        return f"the decoder crashed on it ({detail}); {again}"
    if kind == "out_of_time":
        return f"reading it took more processor time than it may ({detail}); {again}"
    if kind == "disk_full":
        return f"what was found in it cannot be kept, for the disk is full; {again}"
    if kind == "fault":
        return f"a fault of this program, not of the file ({detail}); {again}"
    return detail
