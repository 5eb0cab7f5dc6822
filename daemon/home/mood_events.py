"""One event for each change of the settled emotion, for automations that must not fire on every repeat."""

from __future__ import annotations

from daemon.mqtt.bounds import EmotionName
from daemon.mqtt.documents import Emotion, MoodChanged


class MoodEvents:
    """Hears every settled state; a state that claims nothing neither fires nor forgets."""

    def __init__(self) -> None:
        self._last: EmotionName = "unknown"

    def on_state(self, state: Emotion) -> MoodChanged | None:
        """The event this state is worth, if any."""
        if state.status != "ok" or state.emotion in ("unknown", self._last):
            return None
        previous, self._last = self._last, state.emotion
        return MoodChanged(
            at=state.at,
            simulated=state.simulated,
            event_type=state.emotion,
            previous=previous,
            valence=state.valence,
            arousal=state.arousal,
            confidence=state.confidence,
        )
