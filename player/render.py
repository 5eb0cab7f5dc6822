"""Playback offline: the same engine and mixer on a clock of frames, much faster than they sound."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from player.analysis.first_listen import first_loudness_lufs
from player.choice.chooser import Chooser, PolicySettings
from player.deck import MIX_RATE_HZ, Deck, OpenFile, PcmBlock
from player.decks.av_deck import PullDeck
from player.decks.filler_deck import LOCATION, FillerDeck
from player.library.library import Library
from player.mixing.mixer import Mixer
from player.music import Decision, Track, WearerMood
from player.playback.auto_dj import AutoDj, EngineSettings
from player.sink import Sink

BLOCK_FRAMES = 2048
TAIL_S = 30.0
"""How long the music goes on after the last state, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class RenderReport:
    """What was rendered, and how fast."""

    seconds: float
    wall_s: float
    decisions: tuple[Decision, ...]

    @property
    def speed(self) -> float:
        """Times real time."""
        return self.seconds / max(1e-9, self.wall_s)


class FixedTracks:
    """A library that does not change."""

    def __init__(self, tracks: Sequence[Track]) -> None:
        self.tracks: Sequence[Track] = tuple(tracks)


class OfflineSession:
    """An engine on a clock of frames. Same tracks, states, calls and seed give the same samples."""

    def __init__(
        self,
        source: FixedTracks,
        open_file: OpenFile,
        *,
        policy: PolicySettings | None = None,
        settings: EngineSettings | None = None,
        seed: int = 0,
        make_deck: Callable[[str], Deck] | None = None,
    ) -> None:
        self.source = source
        self.chooser = Chooser(policy, seed)
        self.mixer = Mixer()
        self.decisions: list[Decision] = []
        self._rendered = 0

        def pull(location: str) -> Deck:
            return FillerDeck() if location == LOCATION else PullDeck(open_file)

        self.engine = AutoDj(
            self.mixer,
            self.chooser,
            source,
            make_deck or pull,
            loudness_of=first_loudness_lufs,
            on_decision=self.decisions.append,
            settings=settings,
        )

    @property
    def rendered_s(self) -> float:
        """Seconds rendered so far."""
        return self._rendered / MIX_RATE_HZ

    def blocks(self, seconds: float, n_frames: int = BLOCK_FRAMES) -> Iterator[PcmBlock]:
        """The next ``seconds`` of sound in blocks (n_frames, 2), the engine looking once before each."""
        until = self._rendered + round(seconds * MIX_RATE_HZ)
        while self._rendered < until:
            self.engine.tick(self.rendered_s)
            count = min(n_frames, until - self._rendered)
            self._rendered += count
            yield self.mixer.render(count)

    def close(self) -> None:
        """Let the decks go."""
        self.engine.close()


def render(
    states: Sequence[WearerMood],
    library: Library,
    sink: Sink,
    *,
    policy: PolicySettings | None = None,
    settings: EngineSettings | None = None,
    seed: int = 0,
    seconds: float | None = None,
    wall: Callable[[], float] = time.monotonic,
) -> RenderReport:
    """Play a scripted session into ``sink``, which is opened and closed here. Raises SinkError.

    ``library`` must be idle: a track measured midway would change what is chosen.
    """
    session = OfflineSession(
        FixedTracks(library.tracks), library.open_file, policy=policy, settings=settings, seed=seed
    )
    length_s = states[-1].at_s + TAIL_S if seconds is None else seconds
    waiting = deque(states)
    began_s = wall()
    sink.open()
    try:
        while session.rendered_s < length_s:
            while waiting and waiting[0].at_s <= session.rendered_s:
                session.chooser.on_mood(waiting.popleft())
            for block in session.blocks(min(length_s - session.rendered_s, BLOCK_FRAMES / MIX_RATE_HZ)):
                sink.write(block)
        sink.write(session.mixer.flush())
    finally:
        sink.close()
        session.close()
    return RenderReport(length_s, wall() - began_s, tuple(session.decisions))


def library_for(folders: Sequence[Path], cache_dir: Path, timeout_s: float = 24 * 3600.0) -> Library:
    """An idle library: everything listed and measured. Raises LibraryError and EmptyLibraryError."""
    library = Library.open(folders, cache_dir, first_wait_s=timeout_s, warm_delay_s=0.0)
    library.wait_idle(timeout_s)
    return library
