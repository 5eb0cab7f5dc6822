"""Finds out which sound a file holds: a new one, or one that the cache knows under another path."""

from __future__ import annotations

from typing import IO

from player.library.music_folder import folder_of, open_under
from player.library.sounds.sound_identity import beginning_of, sound_id, whole_of
from player.library.store.rows import KnownSound, PendingFile
from player.library.store.track_cache import TrackCache


class SoundNaming:
    """Names sounds in a cache. All of a file is read only where another one begins in the same way."""

    def __init__(self, cache: TrackCache) -> None:
        self._cache = cache

    def name_of(self, pending: PendingFile, file: IO[bytes]) -> tuple[str, str, str | None]:
        """The names of an open file's sound, of its beginning, and of all of it where it was read whole.

        Raises OSError.
        """
        beginning = beginning_of(file)
        if pending.sound is not None:  # it had its name before sounds were told apart
            return pending.sound, beginning, None
        known = self._cache.sounds_beginning(beginning)
        if not known:
            return sound_id(beginning), beginning, None
        whole = whole_of(file)
        for sound in known:
            if self._whole(sound) in (None, whole):
                return sound.id, beginning, whole
        return sound_id(beginning, whole), beginning, whole

    def _whole(self, sound: KnownSound) -> str | None:
        """The name of all of it; None where every file of it is gone, and nobody has ever read it whole."""
        if sound.whole is not None:
            return sound.whole
        for root, path in sound.files:
            try:
                with open_under(folder_of(root), path) as file:
                    whole = whole_of(file)
            except OSError:
                continue
            self._cache.set_whole(sound.id, whole)
            return whole
        return None
