"""The bounds that fields of the MQTT contract keep."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta

Time = Annotated[datetime, Meta(tz=True, description="RFC 3339, UTC")]
Signed = Annotated[float, Meta(ge=-1, le=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(ge=0)]
Name = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(max_length=2000)]

HeadsetState = Literal["connecting", "streaming", "stale", "lost", "incompatible", "ended"]
EmotionName = Literal["neutral", "happy", "sad", "relaxed", "focused", "unknown"]
EyesName = Literal["open", "closed", "unknown"]
StatusName = Literal["ok", "warming_up", "calibrating", "unreliable", "stale"]
