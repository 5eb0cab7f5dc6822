"""How much of the wearer's state leaves this machine: ``off``, ``coarse`` or ``full``. Pure.

``off`` keeps the roles on a broker of their own on loopback. ``coarse`` sends the settled emotion with
numbers in wide steps, no single windows and no electrodes. EEG itself never travels, whatever is chosen.
"""

from __future__ import annotations

import ipaddress

import msgspec

from daemon.errors import BadInputError
from daemon.mqtt.codec import MessageError
from daemon.mqtt.documents import Document, Emotion, Estimate, MoodChanged, Signal
from daemon.settings import BrokerSettings, Settings

COARSE_STEP = 0.5
COARSE_CONFIDENCE = 0.25


def is_loopback(broker: BrokerSettings) -> bool:
    """Whether what is sent to this broker stays on the machine."""
    if broker.host == "localhost":
        return True
    try:
        return ipaddress.ip_address(broker.host).is_loopback
    except ValueError:
        return False


def refuse_to_share(settings: Settings) -> None:
    """Raises ``BadInputError`` for a role that would send states to another machine against the wish."""
    if settings.share == "off" and not is_loopback(settings.broker):
        raise BadInputError(
            f"share = off keeps states on this machine, but the broker {settings.broker.url} is another one: "
            "name a broker on loopback, or set share to coarse or full"
        )


def _rounded(value: float | None, step: float) -> float | None:
    return None if value is None else round(value / step) * step


def coarse(document: Document) -> Document | None:
    """The document with the wearer's numbers in wide steps; None where it is not to be sent at all.

    Raises ``MessageError`` for a number that is none.
    """
    try:
        return _in_steps(document)
    except (ValueError, OverflowError) as error:
        raise MessageError(str(error)) from None


def _in_steps(document: Document) -> Document | None:
    match document:
        case Estimate():
            return None
        case Emotion() | MoodChanged():
            return msgspec.structs.replace(
                document,
                valence=_rounded(document.valence, COARSE_STEP),
                arousal=_rounded(document.arousal, COARSE_STEP),
                confidence=_rounded(document.confidence, COARSE_CONFIDENCE),
            )
        case Signal():
            return msgspec.structs.replace(
                document, overall=_rounded(document.overall, COARSE_CONFIDENCE), electrodes=[]
            )
    return document
