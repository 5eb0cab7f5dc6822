"""A few tracks and wearers for choosing."""

from __future__ import annotations

from player.choice.chooser import Chooser, PolicySettings
from support.sounds.track_making import feeling, ladder

LIBRARY = ladder(40)


def settled(arousal: float, policy: str = "match", seed: int = 1, target: str | None = None) -> Chooser:
    chooser = Chooser(PolicySettings(policy=policy, target=target), seed)  # type: ignore[arg-type]
    for at_s in range(0, 120, 5):
        chooser.on_mood(feeling(at_s, arousal))
    return chooser
