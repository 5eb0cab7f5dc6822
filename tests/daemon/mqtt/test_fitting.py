"""Text from outside, however long and odd, never keeps a document from being said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from acquisition.signal import HeadsetStatus, StreamInfo
from daemon.engine import documents as said
from daemon.engine.prepared import PreparedPipeline
from daemon.home.mood_events import MoodEvents
from daemon.mqtt import codec, documents, topics
from daemon.mqtt.fitting import fitted
from daemon.mqtt.information import info_document
from daemon.mqtt.inlet import Inlet
from daemon.mqtt.outlet import Outlet
from daemon.music.documents import decision_document, state_document
from inference.emotion import (
    Affect,
    BaselineProgress,
    ChannelQuality,
    EmotionState,
    Estimate,
    ModelId,
    SignalQuality,
)
from player.music import Candidate, Decision, Mood, PlaybackState, Reason, Target, Track
from support.documents import EMOTION
from support.engine_parts import Pipeline

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NODE = topics.Topics("den")
NOWHERE = Affect(None, 0.25)
TEXTS = st.builds(
    lambda piece, times: piece * times,
    st.text(st.characters(), min_size=1, max_size=4),
    st.sampled_from([1, 60, 700, 20_000]),
)


class _Wire:
    def __init__(self) -> None:
        self.said: list[tuple[str, bytes]] = []

    def retain(self, topic: str, payload: bytes, expiry_s: int | None = None) -> None:
        self.said.append((topic, payload))

    def send(self, topic: str, payload: bytes, *, qos: int = 0) -> None:
        self.said.append((topic, payload))


def _track(text: str) -> Track:
    return Track(text, text, text, text, 9.0, 0, 9.0, None, None, Mood(None, 0.5), text, 0.5)  # type: ignore[arg-type]


def _headset(text: str, many: int) -> documents.Document:
    info = StreamInfo(text, text, (text,) * many, 256.0, identity=text, instance=text)
    return said.headset_document(HeadsetStatus("streaming", info, text), info, AT, simulated=False)


def _signal(text: str, many: int) -> documents.Document:
    quality = SignalQuality(1.0, 0.5, True, (ChannelQuality(text, 0.5, (text, text)),) * many)
    return said.signal_document(quality, AT, simulated=False, late=0)


def _estimate(text: str, many: int) -> documents.Document:
    moods = {f"{number}{text}": 0.5 for number in range(many)}
    estimate = Estimate(1.0, moods, NOWHERE, 0.5, "ok", ModelId(text, "a" * 64))
    return said.estimate_document(estimate, AT, simulated=False)


def _emotion(text: str, many: int) -> documents.Document:
    settled = EmotionState(1.0, "sad", NOWHERE, 0.5, "ok", 0.0, 1, ModelId(text, ""), {text: 1.0})
    return said.emotion_document(settled, AT, AT, simulated=False, compute_ms=1.0)


def _session(text: str, many: int) -> documents.Document:
    prepared = PreparedPipeline(
        pipeline=Pipeline([]), model=ModelId(text, ""), baseline_s=1.0, notes=(text,) * many
    )
    progress = BaselineProgress(1.0, 0.0, done=False)
    return said.session_document(
        prepared,
        progress,
        AT,
        simulated=False,
        active=True,
        started=AT,
        recording=False,
        notes=(text, text),
        late=True,
    )


def _mood_changed(text: str, many: int) -> documents.Document:
    model = documents.Model(name=text, sha256=None)
    event = MoodEvents().on_state(msgspec.structs.replace(EMOTION, model=model))
    assert event is not None
    return event


def _player(text: str, many: int) -> documents.Document:
    target = Target(text, Mood(0.1, 0.2))
    state = PlaybackState(
        _track(text), 1.0, _track(text), False, 0.5, 3.0, None, "match", target, (text,) * many
    )
    return state_document(state, AT, simulated=False, output=text, library_tracks=3)


def _decision(text: str, many: int) -> documents.Document:
    target = Target(text, Mood(0.1, 0.2))
    reason = Reason("wished", target=target)
    candidates = tuple(Candidate(_track(text), 0.5, {text: 0.5}) for _ in range(many))
    decision = Decision(1.0, _track(text), "next", reason, text, "match", Mood(None, 0.0), candidates, 1)
    return decision_document(decision, AT, simulated=False)


def _refusal(text: str, many: int) -> documents.Document:
    found: list[documents.Document] = []
    outlet = Outlet(NODE, _Wire())
    outlet.listen(found.append)
    Inlet(outlet, lambda: AT, lambda: False).refuse(text, text * many)
    return found[0]


def _forgotten(text: str, many: int) -> documents.Document:
    return documents.Forgotten(at=AT, simulated=False, role="engine")


def _wearer(text: str, many: int) -> documents.Document:
    """A name holds to a rule of its own; a list of them may be of any length."""
    return documents.SessionWearer(at=AT, simulated=False, wearer="anna", known=[text] * many)


def _info(text: str, many: int) -> documents.Document:
    model = documents.Model(name=text, sha256=None)
    return info_document(
        AT, (text,) * many, simulated=False, headset=text, model=model, targets=(text,) * many
    )


MAKERS: dict[str, Callable[[str, int], documents.Document]] = {
    topics.HEADSET: _headset,
    topics.INFO: _info,
    topics.PLAYER_INFO: _info,
    topics.SIGNAL: _signal,
    topics.ESTIMATE: _estimate,
    topics.EMOTION: _emotion,
    topics.MOOD_CHANGED: _mood_changed,
    topics.SESSION: _session,
    topics.PLAYER_STATE: _player,
    topics.PLAYER_DECISION: _decision,
    topics.COMMAND_ERROR: _refusal,
    topics.FORGOTTEN: _forgotten,
    topics.WEARER: _wearer,
}


@pytest.mark.parametrize("name", list(documents.DOCUMENTS))
@given(text=TEXTS, many=st.sampled_from([1, 3, 40, 512]))
@example(text="x" * 201, many=1)
@example(text="\ud800", many=1)
@example(text="\0" * 201, many=512)
@example(text="\U0001f9e0" * 3000, many=512)
def test_every_document_goes_out_and_comes_back_whatever_names_it_holds(
    name: str, text: str, many: int
) -> None:
    wire, told = _Wire(), list[documents.Document]()
    outlet = Outlet(NODE, wire)
    outlet.listen(told.append)
    outlet.retain(name, MAKERS[name](text, many))
    assert [topic for topic, _ in wire.said] == [NODE.full(name)]
    assert codec.decode(name, wire.said[0][1]) == told[0], "who listens here is told the same"


def _texts(plain: Any) -> list[str]:
    if isinstance(plain, dict):
        return [text for pair in plain.items() for value in pair for text in _texts(value)]
    if isinstance(plain, list):
        return [text for value in plain for text in _texts(value)]
    return [plain] if isinstance(plain, str) else []


@pytest.mark.parametrize("name", list(documents.DOCUMENTS))
def test_what_fits_is_told_as_it_is(name: str) -> None:
    document = MAKERS[name]("Ärger & <Liebe>", 3)
    assert fitted(document) is document


@pytest.mark.parametrize("name", sorted(set(documents.DOCUMENTS) - {topics.MOOD_CHANGED, topics.FORGOTTEN}))
def test_long_text_is_cut_and_not_left_out(name: str) -> None:
    document = fitted(MAKERS[name]("x" * 5000, 2))
    lengths = {len(text) for text in _texts(msgspec.to_builtins(document)) if set(text) == {"x"}}
    assert lengths <= {200, 2000}
    assert lengths
