"""From single windows to a settled state: evidence over seconds, abstention, hysteresis and dwell.

Evidence is an exponential average of each window's calibrated log-odds (a leaky form of Bayesian accumulation
for windows that overlap and are not independent); its time constant sets how many seconds count. Log-odds are
divided by the network's temperature, fitted across people, so that the probability of the average is a
confidence (Guo et al. 2017, *On calibration of modern neural networks*). Refused windows take belief away.
Status words: ``ok``; ``warming_up``, too little evidence yet; ``calibrating``, the rest is being taken;
``unreliable``, too many refused windows; ``stale``, no signal. Only ``ok`` ever names an emotion, and valence
is null unless the wearer's own calibration has given it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from inference.emotion import Affect, Emotion, EmotionState, ModelId, Status


@dataclass(frozen=True, slots=True)
class SettleSettings:
    """How quickly and how surely a state is allowed to change."""

    evidence_s: float = 12.0
    warm_up_s: float = 4.0
    confidence: float = 0.62
    """Probability below which no side is named."""
    keep_confidence: float = 0.55
    """Probability that suffices to keep the side already named (hysteresis)."""
    dwell_s: float = 10.0
    neutral_spread: float = 0.8
    """Standard deviation of the windows' log-odds below which the middle counts as neutral, not unknown."""
    bad_share: float = 0.5
    """Share of rejected windows in the evidence above which the state is unreliable."""
    good_again_share: float = 0.35
    """Share of rejected windows below which an unreliable state is believed again (hysteresis)."""


SIDES: frozenset[Emotion] = frozenset({"focused", "relaxed", "neutral", "happy", "sad"})


class Settler:
    """Hears one window at a time and says the settled state after each."""

    def __init__(self, settings: SettleSettings, hop_s: float, model: ModelId) -> None:
        self._settings, self._hop_s, self._model = settings, hop_s, model
        self.dwell_s = settings.dwell_s
        self._keep = math.exp(-hop_s / settings.evidence_s)
        self._clear()
        self._seq = 0
        self._since_s = 0.0
        self._side: Emotion | None = None
        self._side_s = 0.0
        self._state: EmotionState | None = None

    @property
    def state(self) -> EmotionState | None:
        return self._state

    @property
    def model(self) -> ModelId:
        return self._model

    def _clear(self) -> None:
        self._logit = 0.0
        self._valence = 0.0
        self._valence_weight = 0.0
        self._square = 0.0
        self._weight = 0.0
        self._bad = 0.0
        self._heard_s = 0.0

    def restart(self) -> None:
        """Throw the evidence away, as after a recalibration."""
        self._clear()

    def push(self, at_s: float, logit: float, valence_logit: float | None = None) -> EmotionState:
        """Add an accepted window's calibrated log-odds of being engaged, and of "pleasant" where the wearer's
        own calibration gives them.
        """
        self._fade()
        new = 1 - self._keep
        if valence_logit is not None:
            self._valence += new * valence_logit
            self._valence_weight += new
        self._logit += new * logit
        self._square += new * logit * logit
        self._weight += new
        self._heard_s += self._hop_s
        return self._decide(at_s)

    def reject(self, at_s: float) -> EmotionState:
        """Note a window that the quality gate refused: belief fades instead of freezing."""
        self._fade()
        self._bad += 1 - self._keep
        return self._decide(at_s)

    def disown(self, at_s: float) -> EmotionState:
        """The last seconds were no head's: what was gathered from them is thrown away at once."""
        self._clear()
        return self.abstain(at_s, "unreliable")

    def pass_over(self) -> None:
        """A window was not read: time goes on, so that what is old counts for less beside what comes."""
        self._fade()

    def _fade(self) -> None:
        keep = self._keep
        self._logit *= keep
        self._square *= keep
        self._weight *= keep
        self._bad *= keep
        self._valence *= keep
        self._valence_weight *= keep

    def abstain(self, at_s: float, status: Status) -> EmotionState:
        """A state that claims nothing, with the reason in ``status``."""
        return self._publish(at_s, "unknown", Affect(None, None), 0.0, status)

    def _decide(self, at_s: float) -> EmotionState:
        settings = self._settings
        total = self._weight + self._bad
        doubtful = self._state is not None and self._state.status == "unreliable"
        limit = settings.good_again_share if doubtful else settings.bad_share
        if total > 0 and self._bad / total > limit:
            return self.abstain(at_s, "unreliable")
        if self._heard_s < settings.warm_up_s or self._weight <= 0:
            return self.abstain(at_s, "warming_up")
        mean = self._logit / self._weight
        spread = math.sqrt(max(0.0, self._square / self._weight - mean * mean))
        engaged = _probability(mean)
        confidence = max(engaged, 1 - engaged) * (1 - self._bad / total)
        pleasant = _probability(self._valence / self._valence_weight) if self._valence_weight > 0 else None
        emotion = self._felt(engaged, pleasant) or self._name(engaged, confidence, spread)
        valence = None if pleasant is None else 2 * pleasant - 1
        return self._publish(at_s, emotion, Affect(valence, 2 * engaged - 1), confidence, "ok")

    def _felt(self, engaged: float, pleasant: float | None) -> Emotion | None:
        """``happy`` and ``sad`` are the awake pleasant and the calm unpleasant quarter (Russell 1980)."""
        if pleasant is None:
            return None
        felt: Emotion = "happy" if engaged >= 0.5 else "sad"
        sure = pleasant if felt == "happy" else 1 - pleasant
        now = self._state.emotion if self._state is not None else "unknown"
        wanted = self._settings.keep_confidence if now == felt else self._settings.confidence
        return felt if sure >= wanted else None

    def _name(self, engaged: float, confidence: float, spread: float) -> Emotion:
        side: Emotion = "focused" if engaged >= 0.5 else "relaxed"
        if confidence >= self._settings.confidence:
            return side
        now = self._state.emotion if self._state is not None else "unknown"
        if now == side and confidence >= self._settings.keep_confidence:
            return side
        # a middle made of steady evidence is a mood; one made of missing evidence is not
        steady = (
            max(engaged, 1 - engaged) < self._settings.confidence and spread < self._settings.neutral_spread
        )
        return "neutral" if steady else "unknown"

    def _publish(
        self, at_s: float, emotion: Emotion, affect: Affect, confidence: float, status: Status
    ) -> EmotionState:
        last = self._state
        emotion = self._dwell(at_s, emotion, status)
        if last is None or emotion != last.emotion or status != last.status:
            self._since_s = at_s
            self._seq += 1
        self._state = EmotionState(
            at_s, emotion, affect, round(confidence, 4), status, self._since_s, self._seq, self._model
        )
        return self._state

    def _dwell(self, at_s: float, emotion: Emotion, status: Status) -> Emotion:
        """Another side may be named only when the last one has stood for the dwell time; doubt always may."""
        if status != "ok":
            self._side = None
        elif emotion in SIDES and emotion != self._side:
            if self._side is not None and at_s - self._side_s < self.dwell_s:
                held = self._state is not None and self._state.emotion == self._side
                return self._side if held else "unknown"
            self._side, self._side_s = emotion, at_s
        return emotion

    def use(self, model: ModelId) -> None:
        """Name another classifier from now on (after a fall-back or a hot swap)."""
        self._model = model
        if self._state is not None:
            self._state = replace(self._state, model=model)


def _probability(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))
