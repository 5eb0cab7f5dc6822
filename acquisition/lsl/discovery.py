"""Which Lab Streaming Layer streams there are, and what each of them is. Imports ``pylsl``."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition.eeg_rows import Channel, EegRows, choose_eeg
from acquisition.port import MissingPartError, SourceError
from acquisition.signal import StreamInfo

MAX_CHANNELS = 512
RATES_HZ = (100.0, 1000.0)
"""What can be read live. Recordings may have other rates."""
OWN_PREFIX = "neuroplayer-"
IMAGE_MARK = ".image"
"""The Dockerfile makes this file beside the program."""
"""How the source ids of the outlets begin that this product offers itself."""
DESCRIBE_S = 2.0
"""A stream that was found has so long to describe itself."""
MAX_CANDIDATES = 8


class UnfitStreamError(SourceError):
    """A stream that cannot be read as EEG; ``rule`` is what it breaks, without its name."""

    def __init__(self, name: str, rule: str) -> None:
        self.rule = rule
        super().__init__(f"source: LSL stream {name!r} {rule}")


@dataclass(frozen=True, slots=True)
class EegStream:
    """A stream of type EEG on this machine. ``unfit`` says why it is no headset to be taken unasked."""

    source: str
    """What ``--source`` calls it."""
    name: str
    channels: int
    rate_hz: float
    unfit: str = ""


def own_scope(prefix: str = sys.prefix) -> str:
    """How far to look where nobody says it: this machine, which for our image is its host, a link away."""
    return "link" if Path(prefix, IMAGE_MARK).exists() else "machine"


def scope_network(scope: str = "machine") -> None:
    """Keep LSL's discovery to this machine (or ``link``, ``site``) unless the user has a file of his own.

    Must be called before the first use of liblsl in a process. The short watchdog replaces a hung outlet
    within seconds instead of half a minute; the short round trips let all streams answer one question.
    """
    pylsl = load_lsl()
    if os.environ.get("LSLAPICFG"):
        return
    pylsl.set_config_content(configuration(scope))


def load_lsl() -> Any:
    """The module ``pylsl``, whose library it brings along or finds. Raises ``MissingPartError``."""
    try:
        import pylsl
    except (ImportError, OSError, RuntimeError) as error:
        raise MissingPartError(
            "liblsl is missing, so nothing is read over LSL", "install the package pylsl anew"
        ) from error
    return pylsl


def configuration(scope: str = "machine") -> str:
    """The text of an LSL configuration file as this product wants it."""
    listen = "ListenAddress = 127.0.0.1\n" if scope == "machine" else ""
    return (
        f"[multicast]\nResolveScope = {scope}\n{listen}"
        "[ports]\nIPv6 = disable\n"
        "[tuning]\nWatchdogCheckInterval = 1\nWatchdogTimeThreshold = 2\nTimeUpdateInterval = 5\n"
        "MulticastMinRTT = 0.1\nMulticastMaxRTT = 0.5\nUnicastMinRTT = 0.1\nUnicastMaxRTT = 0.5\n"
        "[log]\nlevel = -2\n"
    )


def find_streams(scope: str, look_s: float) -> list[tuple[str, str, str, int, float, str]]:
    """Source, name, type, channels, rate and host of every stream that answers within ``look_s``."""
    scope_network(scope)
    import pylsl

    streams = pylsl.resolve_streams(wait_time=look_s)
    names = [(stream.name(), stream.source_id()) for stream in streams]
    found = []
    for stream, name in zip(streams, names, strict=True):
        kind = stream.type() if names.count(name) > 1 else ""  # muse-lsl gives all its streams one name
        source = source_text(stream.name(), stream.source_id(), kind)
        rate_hz = float(stream.nominal_srate())
        found.append(
            (source, stream.name(), stream.type(), stream.channel_count(), rate_hz, stream.hostname())
        )
    return sorted(found)


def find_eeg(look_s: float, deadline_s: float) -> list[EegStream]:
    """The streams of type EEG of this machine that answer within ``look_s``, each asked what it is.

    ``deadline_s`` bounds the asking, in seconds from now; only the first ``MAX_CANDIDATES`` are asked.
    """
    scope_network()
    import pylsl

    until_s = time.monotonic() + deadline_s
    here = socket.gethostname()  # a user's own configuration may look further than this machine
    found = [s for s in pylsl.resolve_streams(wait_time=look_s) if s.type().lower() == "eeg"]
    found = sorted((s for s in found if s.hostname() == here), key=lambda s: (s.name(), s.source_id()))
    return [_asked(stream, until_s) for stream in found[:MAX_CANDIDATES]]


def _asked(stream: Any, until_s: float) -> EegStream:
    import pylsl
    from pylsl.util import LostError
    from pylsl.util import TimeoutError as LslTimeoutError

    unfit = ""
    inlet = pylsl.StreamInlet(stream, max_buflen=1, recover=False, processing_flags=0)
    try:
        described = inlet.info(timeout=max(0.05, min(DESCRIBE_S, until_s - time.monotonic())))
        info, _ = describe(described, stream.name())
        if stream.source_id().startswith(OWN_PREFIX):
            unfit = "is offered by a session of this program"
        elif not _plain(stream.name()) and not _plain(stream.source_id()):
            unfit = "has neither a name nor an id that --source could name"
        elif info.simulated:
            unfit = "is simulated"
    except (LslTimeoutError, LostError):
        unfit = "does not answer"
    except UnfitStreamError as error:
        unfit = error.rule
    source = source_text(stream.name(), stream.source_id(), "EEG")
    return EegStream(source, stream.name(), stream.channel_count(), float(stream.nominal_srate()), unfit)


def source_text(name: str, source_id: str, kind: str = "") -> str:
    """What ``--source`` calls a stream. A name or an id that could not be read again is left out."""
    parts = [name if _plain(name) else ""]
    parts += [f"source_id={source_id}"] if _plain(source_id) else []
    parts += [f"type={kind}"] if _plain(kind) else []
    rest = ",".join(part for part in parts if part)
    return f"lsl:{rest}" if rest else "lsl"


def _plain(text: str) -> bool:
    return bool(text) and text.isprintable() and text == text.strip() and not set(text) & set(",=")


def describe(described: Any, asked: str) -> tuple[StreamInfo, EegRows]:
    """What a full ``pylsl.StreamInfo`` says, and which of its channels are EEG; the others are its extras.

    Raises ``UnfitStreamError`` for what is no EEG. ``asked`` is the name under which it was asked for.
    """
    n_channels, rate_hz = described.channel_count(), float(described.nominal_srate())
    _check(described, n_channels, rate_hz)
    chosen = choose_eeg(_channels(described, n_channels))
    name = described.name()
    if chosen.bad_units:
        raise UnfitStreamError(name, f"must be in one known unit of volts, got {list(chosen.bad_units)}")
    if not chosen.rows:
        raise UnfitStreamError(name, f"has no channel of EEG among {n_channels}")
    info = StreamInfo(
        f"lsl:{asked or name}",
        f"{name} on {described.hostname()}",
        chosen.names,
        rate_hz,
        simulated=_is_simulated(described),
        identity=identity(described),
        instance=described.uid(),
        extras=chosen.left_out,
    )
    return info, chosen


def _channels(described: Any, n_channels: int) -> list[Channel]:
    with contextlib.redirect_stdout(
        None
    ):  # pylsl prints where a stream describes too few channels or too many
        labels = described.get_channel_labels() or []
        units = described.get_channel_units() or []
        types = described.get_channel_types() or []
    if len(labels) != n_channels or not all(labels):
        labels = [f"ch{i + 1}" for i in range(n_channels)]
    units, types = (
        (words * n_channels)[:n_channels] if len(words) in (1, n_channels) else [""] * n_channels
        for words in (units, types)
    )
    rows = zip(labels, units, types, strict=True)
    return [Channel(str(label), str(unit or ""), str(kind or "")) for label, unit, kind in rows]


def _is_simulated(described: Any) -> bool:
    """By its name, or because the session that offers it says that its wearer is."""
    said = described.desc().child("acquisition").child_value("simulated")
    return "simulated" in described.name().lower() or said == "true"


def _check(described: Any, n_channels: int, rate_hz: float) -> None:
    import pylsl

    name = described.name()
    if described.channel_format() == pylsl.cf_string:
        raise UnfitStreamError(name, "carries text, not numbers")
    if not 1 <= n_channels <= MAX_CHANNELS:
        raise UnfitStreamError(name, f"must have 1..{MAX_CHANNELS} channels, got {n_channels}")
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise UnfitStreamError(name, f"must have a rate of 100..1000 Hz, got {rate_hz:g}")


def identity(stream: Any) -> str:
    """Name, source id and host: what stays when an outlet begins anew."""
    return f"{stream.name()}/{stream.source_id()}@{stream.hostname()}"
