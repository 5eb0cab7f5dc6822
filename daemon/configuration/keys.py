"""The settings, one row each: it serves file, environment, flag, completion, reload, help and docs.

A row and the field of ``Settings`` that it fills are all there is to a setting: the field's type is the rule,
its value the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from operator import attrgetter
from typing import Any, Literal

import msgspec

from daemon.configuration import rules, values
from daemon.configuration.rules import Read, private, readable, text
from daemon.settings import Settings
from player.choice.targets import NAMED_TARGETS, POLICIES
from player.outputs.output_spec import FORMS, KINDS

PREFIX = "NEUROPLAYER_"
"""How the environment's variables begin."""
Effect = Literal["live", "engine", "later"]
"""How a changed value comes into force: the player takes it over, the engine starts again, or it waits."""


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: ``section.key`` of the file, and the ``field`` of ``Settings`` that takes its value,
    empty where it is made into something else.

    ``check`` is given where the field's type does not say the rule, ``default`` (TOML) where the field does
    not, ``example`` (TOML) where there is none. ``flag`` holds an option with its metavar, ``words`` what
    completes it instead of its type's choices, ``command`` the MQTT command that sets the same.
    """

    name: str
    field: str
    _: KW_ONLY
    text: str
    effect: Effect = "later"
    check: Read | None = None
    default: str = ""
    example: str = ""
    flag: str = ""
    words: tuple[str, ...] = ()
    command: str = ""
    secret: bool = False

    @property
    def kind(self) -> Any:
        """The type of the field; a key without one is a switch."""
        return rules.type_of(self.field, Settings) if self.field else bool

    @property
    def variable(self) -> str:
        """``mqtt.broker`` -> ``NEUROPLAYER_MQTT_BROKER``."""
        return PREFIX + self.name.replace(".", "_").upper()

    @property
    def in_force(self) -> str:
        """The value where nobody gives one, as TOML; empty where there is none."""
        if self.default or self.example:
            return self.default
        return msgspec.json.encode(attrgetter(self.field)(DEFAULTS)).decode()

    def read(self, value: Any) -> Any:
        """The checked value of what was given. Raises ``BadInputError``."""
        return (self.check or rules.by_type(self.kind))(value)

    def completions(self) -> tuple[str, ...]:
        """What the shell may offer."""
        return self.words or rules.choices(self.kind)


DEFAULTS = Settings()

# fmt: off
KEYS: tuple[Key, ...] = (
    Key("session.source", "source", effect="engine", flag="--source SOURCE",
        check=text(values.check_source), example='"lsl"',
        words=("simulated", "lsl", "lsl:", "brainflow:", "replay:"),
        text="simulated, lsl[:NAME], brainflow:BOARD[,key=value] or replay:FILE. Without it, run "
        "and record look for a headset."),
    Key("session.look_s", "look_s",
        text="How long a headset is looked for where no source is named, in seconds; 0: not at all."),
    Key("session.speed", "speed", effect="engine", flag="--speed N|max", check=text(values.parse_speed),
        words=("max",),
        text="Speed of a replay or of the simulated wearer, 0.01 to 1000 times real time."),
    Key("session.baseline", "baseline", effect="engine", flag="--baseline SECONDS|last|none",
        check=text(values.parse_baseline), words=("last", "none"),
        text="The guided rest: 5 to 600 seconds, last (as it was stored) or none."),
    Key("session.dwell_s", "dwell_s", effect="engine", example="10", command="dwell",
        text="How long a settled emotion is held, in seconds; by default as the network wants it."),
    Key("session.seed", "seed", effect="engine", flag="--seed N", text="Seed of everything random."),
    Key("session.record", "", flag="--record", default="false",
        text="Record the session, EEG included, for the wearer."),
    Key("session.encrypt", "encrypt",
        text="Encrypt recordings with the wearer's recording.key, which is made where there is none."),
    Key("session.lsl_out", "lsl_out", effect="engine", flag="--lsl-out NAME",
        check=text(values.check_lsl_name), example='"neuroplayer"',
        text="Offer the EEG to other programs as an LSL stream."),
    Key("music.folders", "music", flag="--music DIR", check=rules.folders, example='["~/Music"]',
        text="A music folder or playlist; may be given again. Without it, demo music."),
    Key("music.policy", "policy", effect="live", flag="--policy NAME", command="policy",
        text=f"How the music follows the mood: {', '.join(POLICIES[:-1])} or {POLICIES[-1]}."),
    Key("music.target", "target", effect="live", flag="--target NAME", check=text(values.check_target),
        example='"relax"', words=tuple(NAMED_TARGETS), command="target",
        text="Where the listener wants to be, e.g. relax or focus."),
    Key("music.crossfade_s", "crossfade_s", effect="live", command="crossfade",
        text="Length of the crossfades, in seconds."),
    Key("music.volume", "volume", effect="live", command="volume", text="Volume, a linear gain."),
    Key("sound.output", "output", flag="--output OUTPUT", check=text(values.check_output),
        words=tuple(f"{name}:" if kind.file else name for name, kind in KINDS.items() if kind.form),
        text=f"{FORMS}; several by commas."),
    Key("sound.cues", "cues", effect="live", flag="--cues off|chime|voice",
        text="How rest and a lost headset are told over the music; voice needs espeak-ng."),
    Key("mqtt.broker", "broker", flag="--broker URL", check=text(values.parse_broker),
        example='"mqtt://192.168.1.2:1883"',
        text="mqtt[s]://HOST:PORT; without it one is started on loopback."),
    Key("mqtt.username", "broker.username", example='"neuroplayer"', text="Name to log in with."),
    Key("mqtt.password", "broker.password", example='"..."', secret=True,
        text="Password to log in with; the file must then have mode 0600. Better: password_file."),
    Key("mqtt.password_file", "", check=text(private), example='"~/.mqtt-password"',
        text="A file of mode 0600 whose first line is the password."),
    Key("mqtt.ca_file", "broker.ca_file", check=text(readable), example='"home-ca.pem"',
        text="The authority that signed the broker's certificate."),
    Key("mqtt.cert_file", "broker.cert_file", check=text(readable), example='"client.pem"',
        text="Client certificate."),
    Key("mqtt.key_file", "broker.key_file", check=text(private), example='"client.key"',
        text="Its key, a file of mode 0600."),
    Key("node", "node", flag="--node NAME", check=text(rules.node),
        text="Name of this player in the MQTT topics; one a wearer or room."),
    Key("wearer", "wearer", flag="--wearer NAME", check=text(rules.wearer), example='"anna"',
        text="Who wears the headset, by default the node: what is kept is theirs; guest: nothing is."),
    Key("keep_days", "keep_days", example="365",
        text="Recordings and histories that are older, in days, go by themselves; by default none."),
    Key("share", "share", text="How much of the wearer's states leaves this machine by MQTT."),
    Key("home_assistant.discovery", "home_assistant.discovery",
        text="How Home Assistant is told; device needs its version 2024.11 or newer."),
    Key("home_assistant.prefix", "home_assistant.prefix", check=text(rules.prefix),
        text="Discovery prefix configured there."),
    Key("home_assistant.name", "home_assistant.name", check=text(limit=80), example='"Living room"',
        text="How the device is called there."),
    Key("web.enabled", "", default="true", text="Serve the live page."),
    Key("web.listen", "web", flag="--web HOST:PORT", check=text(values.parse_web),
        default='"127.0.0.1:8765"',
        text="Where the live page is served."),
    Key("web.open", "open_page", flag="--open", text="Open the page in your browser once it answers."),
    Key("health.port", "health_port", example="9464",
        text="Metrics and health on loopback, one port a role from this on: engine, player, web, broker."),
    Key("log.format", "log.format", text="Lines for people, or an object a line for machines."),
    Key("log.level", "log.level", text="What is said."),
)
# fmt: on


def option_name(key: Key) -> str:
    """``--lsl-out NAME`` -> ``lsl_out``."""
    return key.flag.partition(" ")[0].lstrip("-").replace("-", "_")


BY_NAME: Mapping[str, Key] = {key.name: key for key in KEYS}
