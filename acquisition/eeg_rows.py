"""Which of a file's or stream's channels are EEG: by what they are called and said to be, then by rate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from acquisition.montage import canonical
from acquisition.units import uv_per

_OTHER = tuple(
    """
    ECG EKG EOG EMG ERG MEG MCG STATUS TRIG STIM STI EVENT MARK ANNOTATION RESP SNOR SAO2 SPO2 OSAT ETCO2 CO2
    PULSE PLETH PPG HEART HR FLOW NASAL AIRFLOW PRESS THOR ABD CHEST EFFORT CHIN LEG TIB ACC GYR MAG MOTION
    TEMP LIGHT SOUND AUDIO MIC BATT COUNT SAMPLE INDEX VALID TIME GSR EDA POSITION AUX DIGITAL ANALOG OPTIC
    NIRS QUALITY
    """.split()  # noqa: SIM905 - thirty lines of quotes would not be read
)
"""How the words begin, in labels and types, that say a channel is something else."""
_ELECTRODE = re.compile(
    r"[AM][12]|(?:N|Fp|AF|F|FT|FC|T|TP|C|CP|P|PO|O|I|CB|AFF|FFC|FTT|CCP|TPP|PPO|POO)(?:z|(?:[1-9]|10)h?)"
)
_REFERENCES = frozenset({"REF", "LE", "AVG", "AV", "AR", "CAR", "A1A2", "M1M2"})
_EARS = frozenset({"A1", "A2", "M1", "M2"})
MAX_TOLD = 6


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel as described: ``type`` and ``unit`` may be empty, ``rate_hz`` 0 where all have one."""

    label: str
    unit: str = ""
    type: str = ""
    rate_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class EegRows:
    """The channels chosen: their places, unique names of today and factors to microvolts.

    ``left_out`` holds the labels of the others; ``bad_units`` the units of EEG that are none of voltage.
    """

    rows: tuple[int, ...]
    names: tuple[str, ...]
    uv_per_unit: tuple[float, ...]
    left_out: tuple[str, ...]
    bad_units: tuple[str, ...] = ()


def choose_eeg(channels: Sequence[Channel]) -> EegRows:
    """The EEG among ``channels``, of one rate.

    What is called an electrode or said to be EEG comes before what might be; of several rates the one with
    most of it. Nothing is chosen where an electrode's unit is none of voltage: ``bad_units`` says which.
    """
    typed = any(channel.type.strip().upper() == "EEG" for channel in channels)
    sure, maybe = [], []
    for place, channel in enumerate(channels):
        kind = _kind(channel, typed=typed)
        if kind == "eeg":
            sure.append(place)
        elif kind == "unknown":
            maybe.append(place)
    bad = [place for place in sure if uv_per(channels[place].unit) is None]
    maybe = [place for place in maybe if uv_per(channels[place].unit) is not None or not sure]
    bad += [place for place in maybe if uv_per(channels[place].unit) is None]
    if bad:
        return EegRows((), (), (), (), tuple(sorted({channels[place].unit.strip().lower() for place in bad})))
    rows = _of_one_rate(channels, sure, maybe)
    names = tuple(canonical(channels[place].label) or f"ch{place + 1}" for place in rows)
    unique = tuple(name if names.index(name) == i else f"{name}#{i}" for i, name in enumerate(names))
    factors = tuple(uv_per(channels[place].unit) or 1.0 for place in rows)
    others = tuple(channel.label.strip() for place, channel in enumerate(channels) if place not in set(rows))
    return EegRows(rows, unique, factors, others)


def left_out_note(left_out: Sequence[str]) -> str:
    """What was left out, in brackets behind a device's name; nothing where all was taken."""
    if not left_out:
        return ""
    shown = ", ".join(label[:16] or "?" for label in left_out[:MAX_TOLD])
    more = f" and {len(left_out) - MAX_TOLD} more" if len(left_out) > MAX_TOLD else ""
    return f" (left out: {shown}{more})"


def _of_one_rate(channels: Sequence[Channel], sure: list[int], maybe: list[int]) -> tuple[int, ...]:
    rates_hz = {channels[place].rate_hz for place in (*sure, *maybe)}
    if not rates_hz:
        return ()

    def at(places: list[int], rate_hz: float) -> list[int]:
        return [place for place in places if channels[place].rate_hz == rate_hz]

    best_hz = max(rates_hz, key=lambda rate_hz: (len(at(sure, rate_hz)), len(at(maybe, rate_hz)), rate_hz))
    named, others = at(sure, best_hz), at(maybe, best_hz)
    # a cap with names of its own (A1 .. D32) has a few that look like electrodes among many that do not
    return tuple(named if len(named) >= len(others) else sorted((*named, *others)))


def _kind(channel: Channel, *, typed: bool) -> str:
    label = channel.label.strip()
    kind = channel.type.strip().upper()
    said = kind == "EEG" or label.upper().startswith("EEG")
    if typed and kind and kind != "EEG":
        return "other"
    words = re.findall(r"[A-Z0-9]+", re.sub(r"^EEG", "", label.upper()))
    if len(words) == 2 and set(words) <= _EARS:  # the ears against each other hold no brain
        return "other"
    if _is_electrode(canonical(label)):
        return "eeg"
    if any(word.startswith(other) for word in (*words, kind) for other in _OTHER):
        return "other"
    return "eeg" if said and not typed else "unknown"


def _is_electrode(name: str) -> bool:
    """``Fp1``, or a derivation that begins with an electrode: ``Fpz-Cz``, ``C4-A1``, ``Fp1-AVG``."""
    first, *rest = name.split("-")
    if len(rest) > 1 or _ELECTRODE.fullmatch(first) is None:
        return False
    if not rest:
        return True
    canonical_rest = canonical(rest[0])
    known = _ELECTRODE.fullmatch(canonical_rest) is not None or rest[0].upper() in _REFERENCES
    return known and not {first, canonical_rest} <= _EARS
