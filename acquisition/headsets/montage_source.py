"""What the wearer changes of a headset's channels: their names, their order, and which are left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from acquisition.montage import canonical
from acquisition.port import EegSource, ReactsToMusic, Resumes, UnknownSourceError
from acquisition.signal import EegChunk, StreamInfo

OPTIONS = ("rename", "pick", "drop")
"""``rename=ch1:Fp1;ch2:Fp2``, ``pick=Fp2;Fp1`` (these, in this order), ``drop=AUX``."""


@dataclass(frozen=True, slots=True)
class MontageEdit:
    """Names are compared as 10-20 names, so ``t3`` finds ``T7``; ``pick`` and ``drop`` use the new names."""

    rename: Mapping[str, str] = field(default_factory=dict)
    pick: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def apply(self, channels: Sequence[str]) -> tuple[tuple[str, ...], list[int]]:
        """The new channels and the rows they come from. Raises ``UnknownSourceError`` naming what is off."""
        old = {canonical(name): name for name in channels}
        new = list(channels)
        for was, becomes in self.rename.items():
            if canonical(was) not in old:
                raise UnknownSourceError(_nothing("rename", was, channels))
            new[channels.index(old[canonical(was)])] = canonical(becomes)
        places = {name: row for row, name in enumerate(new)}
        if len(places) != len(new):
            twice = next(name for name in new if new.count(name) > 1)
            raise UnknownSourceError(f"source: rename gives two channels the name {twice}")
        for key, names in (("pick", self.pick), ("drop", self.drop)):
            for name in names:
                if canonical(name) not in places:
                    raise UnknownSourceError(_nothing(key, name, new))
        wanted = [canonical(name) for name in self.pick] or new
        left_out = {canonical(name) for name in self.drop}
        kept = tuple(name for name in wanted if name not in left_out)
        if not kept or len(set(kept)) != len(kept):
            raise UnknownSourceError(
                f"source: pick and drop must leave distinct channels, got {kept or 'none'}"
            )
        return kept, [places[name] for name in kept]


def montage_edit(options: Mapping[str, str]) -> MontageEdit | None:
    """The change that a source's options ask for, if any. Raises ``UnknownSourceError``."""
    if not any(options.get(key) for key in OPTIONS):
        return None
    rename: dict[str, str] = {}
    for pair in _listed(options.get("rename", "")):
        was, colon, becomes = pair.partition(":")
        if not colon or not was.strip() or not becomes.strip():
            raise UnknownSourceError(f"source: rename is written OLD:NEW;OLD:NEW, got {pair!r}")
        rename[was.strip()] = becomes.strip()
    return MontageEdit(rename, _listed(options.get("pick", "")), _listed(options.get("drop", "")))


class MontageSource:
    """A source with its channels changed."""

    def __init__(self, inner: EegSource, edit: MontageEdit) -> None:
        self._inner, self._edit = inner, edit
        self._rows: list[int] = []

    def resume(self, previous: StreamInfo, silent_s: float, last_stamp_s: float) -> None:
        """Pass it on."""
        if isinstance(self._inner, Resumes):
            self._inner.resume(previous, silent_s, last_stamp_s)

    def on_music(self, valence: float | None, arousal: float | None) -> None:
        """Pass it on."""
        if isinstance(self._inner, ReactsToMusic):
            self._inner.on_music(valence, arousal)

    def open(self) -> StreamInfo:
        """Open what is inside. Raises ``UnknownSourceError`` when a channel to change is not there."""
        info = self._inner.open()
        channels, self._rows = self._edit.apply(info.channels)
        return replace(info, channels=channels)

    def poll(self, timeout_s: float) -> EegChunk | None:
        """The next chunk, changed."""
        chunk = self._inner.poll(timeout_s)
        return None if chunk is None else replace(chunk, samples_uv=chunk.samples_uv[self._rows])

    def close(self) -> None:
        """Close what is inside."""
        self._inner.close()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _nothing(key: str, name: str, channels: Sequence[str]) -> str:
    return f"source: {key} names {name!r}, the channels are {', '.join(channels)}"
