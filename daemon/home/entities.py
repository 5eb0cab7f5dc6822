"""The entities Home Assistant shows, as data: where each hears its state and what it sends back.

Every template reads a document of the MQTT contract. Only the settled mood (topic ``emotion``) drives them,
never a single window's ``estimate``. A template that renders ``None`` makes Home Assistant show "unknown", in
a text of one before 2024.11 the word itself does. What is measured is said anew once it has really changed:
each change is a row in Home Assistant's database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from daemon.mqtt import topics
from daemon.settings import CrossfadeS, DwellS
from player.choice.targets import NAMED_TARGETS, POLICIES

Component = Literal["sensor", "binary_sensor", "event", "switch", "select", "number", "button", "update"]
Owner = Literal["engine", "player"]

EMOTIONS = ("neutral", "happy", "sad", "relaxed", "focused")
"""What automations may go by; ``unknown`` of the contract is Home Assistant's own unknown."""
UNKNOWN = "unknown"
TARGETS = tuple(NAMED_TARGETS)
NO_TARGET = "no target"
LIVE_S = 35
"""A live value that was not said again for so long is shown as unavailable: three repeats were missed."""
SIGNAL_LIVE_S = 10
STEADY_S = 180
"""A number that moves all the time is said anew so often: a change of mood has its event."""
WEAK_ELECTRODE = 0.5
GOOD_ELECTRODE = 0.6
"""A problem that is shown is over once all electrodes are as good as this."""

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entity:
    """One entity. ``state`` and ``command`` are short topic names, ``options`` Home Assistant's own keys.

    ``there`` is a condition on the state's document: while it does not hold, there is nothing to show.
    """

    component: Component
    key: str
    name: str
    owner: Owner
    state: str | None = None
    command: str | None = None
    needs_headset: bool = False
    there: str = ""
    options: Options = field(default_factory=dict)

    @property
    def nothing(self) -> str:
        """What a template says where there is no document."""
        if self.component == "update":
            return ""
        return UNKNOWN if self.key in ("emotion", "now_playing") else "None"


def _json(template: str) -> str:
    return "{{ (" + template + ") | tojson }}"


def _steady(value: str, step: float, leap: float, digits: int = 0, unit: str = "") -> str:
    """A template for a number that is said anew once it has leapt, moved by ``step`` in long, come or gone.

    A person may have chosen another unit for the entity; what it shows is then no measure for ours.
    """
    ours = f"this.attributes.unit_of_measurement == '{unit}' and " if unit else ""
    recent = f"(now() - this.last_changed).total_seconds() < {STEADY_S}"
    return (
        f"{{% set new = {value} %}}"
        "{% set both = this is defined and new is not none %}"
        "{% set moved = (this.state | float(9e9) - new) | abs if both else 9e9 %}"
        f"{{{{ none if new is none else this.state if moved < 1e9 and {ours}"
        f"(moved < {step} or moved < {leap} and {recent}) else new | round({digits}) }}}}"
    )


def _measure(template: str, icon: str, live_s: int = LIVE_S, **options: Any) -> Options:
    return {
        "value_template": template,
        "state_class": "measurement",
        "icon": icon,
        "expire_after": live_s,
    } | options


def _limits(bounded: Any) -> Options:
    """The bounds of a setting's type, as the command keeps them."""
    (meta,) = bounded.__metadata__
    return {"min": meta.ge, "max": meta.le}


ENGINE_ENTITIES = (
    Entity(
        *("sensor", "emotion", "Emotion", "engine", topics.EMOTION),
        needs_headset=True,
        options={
            "value_template": f"{{{{ value_json.emotion if value_json.status == 'ok' else '{UNKNOWN}' }}}}",
            "device_class": "enum",
            "options": [*EMOTIONS, UNKNOWN],
            "icon": "mdi:emoticon-outline",
            "expire_after": LIVE_S,
            "json_attributes_template": "{{ {'status': value_json.status, 'since': value_json.since, "
            "'model': value_json.model.name, "
            "'simulated': value_json.simulated, 'replayed': value_json.replayed} | tojson }}",
        },
    ),
    Entity(
        *("sensor", "valence", "Valence", "engine", topics.EMOTION),
        needs_headset=True,
        there="value_json.valence is not none",
        options=_measure(
            _steady("value_json.valence", 0.1, 0.8, 2),
            "mdi:emoticon-happy-outline",
            suggested_display_precision=2,
        ),
    ),
    Entity(
        *("sensor", "arousal", "Arousal", "engine", topics.EMOTION),
        needs_headset=True,
        options=_measure(
            _steady("value_json.arousal", 0.1, 0.8, 2), "mdi:pulse", suggested_display_precision=2
        ),
    ),
    Entity(
        *("sensor", "confidence", "Confidence", "engine", topics.EMOTION),
        needs_headset=True,
        options=_measure(
            _steady("(value_json.confidence * 100)", 10, 60), "mdi:check-decagram", unit_of_measurement="%"
        ),
    ),
    Entity(
        *("event", "mood_changed", "Mood changed", "engine", topics.MOOD_CHANGED),
        needs_headset=True,
        options={"event_types": list(EMOTIONS), "icon": "mdi:emoticon-cool-outline"},
    ),
    Entity(
        *("switch", "session", "Session", "engine", topics.SESSION, "session"),
        options={
            "value_template": "{{ 'ON' if value_json.active else 'OFF' }}",
            "state_on": "ON",
            "state_off": "OFF",
            "payload_on": '{"action":"start"}',
            "payload_off": '{"action":"stop"}',
            "icon": "mdi:head-cog-outline",
        },
    ),
    Entity(
        *("button", "recalibrate", "Recalibrate", "engine", None, "recalibrate"),
        options={"payload_press": "{}", "icon": "mdi:tune-variant", "entity_category": "config"},
    ),
    Entity(
        *("number", "dwell", "Dwell", "engine", topics.SESSION, "dwell"),
        options={
            "value_template": "{{ value_json.dwell_s }}",
            "command_template": _json("{'seconds': value}"),
            **_limits(DwellS),
            "step": 1,
            "mode": "box",
            "unit_of_measurement": "s",
            "icon": "mdi:timer-sand",
            "entity_category": "config",
        },
    ),
    Entity(
        *("binary_sensor", "headset", "Headset", "engine", topics.HEADSET),
        options={
            "value_template": "{{ 'ON' if value_json.state == 'streaming' else 'OFF' }}",
            "payload_on": "ON",
            "payload_off": "OFF",
            "device_class": "connectivity",
            "json_attributes_template": "{{ {'state': value_json.state, 'device': value_json.device, "
            "'rate_hz': value_json.rate_hz, 'reason': value_json.reason, "
            "'simulated': value_json.simulated, 'replayed': value_json.replayed} | tojson }}",
        },
    ),
    Entity(
        *("binary_sensor", "electrode_problem", "Electrode problem", "engine", topics.SIGNAL),
        needs_headset=True,
        there="value_json.electrodes",
        options={
            "value_template": "{{ 'ON' if value_json.electrodes | selectattr('score', 'lt', "
            f"{GOOD_ELECTRODE} if this is defined and this.state == 'on' else {WEAK_ELECTRODE})"
            " | list else 'OFF' }}",
            "payload_on": "ON",
            "payload_off": "OFF",
            "device_class": "problem",
            "entity_category": "diagnostic",
            "expire_after": SIGNAL_LIVE_S,
            "json_attributes_template": "{{ {'electrodes': value_json.electrodes | selectattr('score', 'lt', "
            f"{WEAK_ELECTRODE}) | map(attribute='channel') | list, 'worn': value_json.worn}} | tojson }}}}",
        },
    ),
    Entity(
        *("sensor", "signal_quality", "Signal quality", "engine", topics.SIGNAL),
        needs_headset=True,
        options=_measure(
            _steady("(value_json.overall * 100)", 10, 60),
            "mdi:signal",
            SIGNAL_LIVE_S,
            unit_of_measurement="%",
            entity_category="diagnostic",
        ),
    ),
    Entity(
        *("sensor", "battery", "Battery", "engine", topics.HEADSET),
        needs_headset=True,
        there="value_json.battery_percent is not none",
        options={
            "value_template": "{{ value_json.battery_percent }}",
            "device_class": "battery",
            "state_class": "measurement",
            "unit_of_measurement": "%",
            "entity_category": "diagnostic",
        },
    ),
    Entity(
        *("sensor", "latency", "Latency", "engine", topics.EMOTION),
        needs_headset=True,
        options=_measure(
            _steady(
                "value_json.latency_ms.compute | default(none) if value_json.status != 'stale' else none",
                *(20, 500, 2, "ms"),
            ),
            "mdi:timer-outline",
            unit_of_measurement="ms",
            device_class="duration",
            entity_category="diagnostic",
        ),
    ),
    Entity(
        *("update", "update", "Update", "engine", topics.INFO),
        options={
            "title": "Neuroplayer",
            # what is installed but does not run yet: a restart brings it
            "value_template": "{{ {'installed_version': value_json.version, "
            "'latest_version': value_json.installed} | tojson }}",
            "entity_category": "diagnostic",
        },
    ),
)

PLAYER_ENTITIES = (
    Entity(
        *("sensor", "now_playing", "Now playing", "player", topics.PLAYER_STATE),
        options={
            "value_template": f"{{{{ value_json.track.title[:250] if value_json.track else '{UNKNOWN}' }}}}",
            "icon": "mdi:music",
            "expire_after": LIVE_S,
            "json_attributes_template": "{{ {"
            "'artist': value_json.track.artist if value_json.track else none, "
            "'stream_title': value_json.stream_title | default(none, true), "
            "'duration_s': value_json.track.duration_s if value_json.track else none, "
            "'mood': value_json.track.mood if value_json.track else none, "
            "'paused': value_json.paused, 'output': value_json.output, "
            "'degraded': value_json.degraded} | tojson }}",
        },
    ),
    Entity(
        *("select", "target", "Target", "player", topics.PLAYER_STATE, "target"),
        options={
            "value_template": f"{{{{ '{NO_TARGET}' if value_json.target is none else "
            f"(value_json.target if value_json.target in {list(TARGETS)} else None) }}}}",
            "command_template": _json(f"{{'name': none if value == '{NO_TARGET}' else value}}"),
            "options": [NO_TARGET, *TARGETS],
            "icon": "mdi:target",
        },
    ),
    Entity(
        *("select", "policy", "Policy", "player", topics.PLAYER_STATE, "policy"),
        options={
            "value_template": "{{ value_json.policy }}",
            "command_template": _json("{'policy': value}"),
            "options": list(POLICIES),
            "icon": "mdi:compass-outline",
        },
    ),
    Entity(
        *("number", "volume", "Volume", "player", topics.PLAYER_STATE, "volume"),
        options={
            "value_template": "{{ (value_json.volume * 100) | round(0) }}",
            "command_template": _json("{'volume': value / 100}"),
            "min": 0,
            "max": 100,
            "step": 1,
            "mode": "slider",
            "unit_of_measurement": "%",
            "icon": "mdi:volume-high",
        },
    ),
    Entity(
        *("button", "skip", "Skip", "player", None, "skip"),
        options={"payload_press": "{}", "icon": "mdi:skip-next"},
    ),
    Entity(
        *("switch", "pause", "Pause", "player", topics.PLAYER_STATE, "pause"),
        options={
            "value_template": "{{ 'ON' if value_json.paused else 'OFF' }}",
            "state_on": "ON",
            "state_off": "OFF",
            "payload_on": '{"paused":true}',
            "payload_off": '{"paused":false}',
            "icon": "mdi:pause",
        },
    ),
    Entity(
        *("number", "crossfade", "Crossfade", "player", topics.PLAYER_STATE, "crossfade"),
        options={
            "value_template": "{{ value_json.crossfade_s }}",
            "command_template": _json("{'seconds': value}"),
            **_limits(CrossfadeS),
            "step": 0.5,
            "mode": "box",
            "unit_of_measurement": "s",
            "icon": "mdi:swap-horizontal",
            "entity_category": "config",
        },
    ),
)

ENTITIES: Mapping[Owner, tuple[Entity, ...]] = {"engine": ENGINE_ENTITIES, "player": PLAYER_ENTITIES}
