"""The systemd units that ``neuroplayer service install`` writes: one service for all, or one a role.

Hardened until only what the product needs is left: sound and serial devices, own folders, the home network.
``MemoryDenyWriteExecute`` stays off: libVLC's callbacks reach Python through trampolines that need it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

USER = "neuroplayer"
CONFIG = "/etc/neuroplayer/neuroplayer.toml"
SYSUSERS = f'u {USER} - "Neuro-Adaptive Music Player" /var/lib/{USER}\nm {USER} audio\nm {USER} dialout\n'
ROLES = ("broker", "engine", "player", "web")

_SANDBOX = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
UMask=0077
ProtectSystem=strict
ProtectHome={home}
PrivateTmp=yes
PrivateUsers=yes
PrivateMounts=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources @mount @debug @obsolete
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
"""
_AT_HOME = (
    "IPAddressDeny=any",
    "IPAddressAllow=localhost link-local multicast 10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7",
    "Environment=NEUROPLAYER_INTERNET=denied",
)
PLAYING = ("run", "player")
"""Who may want the internet: for radio and podcasts."""
_DEVICES: Mapping[str, Sequence[str]] = {
    "run": ("char-alsa", "char-ttyUSB", "char-ttyACM"),
    "engine": ("char-ttyUSB", "char-ttyACM"),
    "player": ("char-alsa",),
}
_GROUPS: Mapping[str, str] = {"char-alsa": "audio", "char-ttyUSB": "dialout", "char-ttyACM": "dialout"}
_WORDS: Mapping[str, str] = {
    "run": "Neuro-Adaptive Music Player",
    "broker": "Neuro-Adaptive Music Player: MQTT broker on loopback",
    "engine": "Neuro-Adaptive Music Player: headset in, emotion states out",
    "player": "Neuro-Adaptive Music Player: music",
    "web": "Neuro-Adaptive Music Player: live page",
}
_OWN = (
    "Restart=on-failure",
    "RestartSec=3",
    "RestartPreventExitStatus=2",
    "TimeoutStartSec=120",
    "TimeoutStopSec=45",
    f"User={USER}",
    f"Group={USER}",
    f"StateDirectory={USER}",
    "StateDirectoryMode=0700",
    f"CacheDirectory={USER}",
    "CacheDirectoryMode=0700",
    f"Environment=NEUROPLAYER_STATE_DIR=/var/lib/{USER} NEUROPLAYER_CACHE_DIR=/var/cache/{USER}",
    f"Environment=NEUROPLAYER_CONFIG={CONFIG} PYTHONUNBUFFERED=1",
)
_PLAIN_PATH = re.compile(r"[\w@%+=:,./-]+")


class UnitError(ValueError):
    """A path cannot stand in a unit file. The message names it."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A file to be written."""

    name: str
    text: str


def unit_name(role: str) -> str:
    """``run`` -> ``neuroplayer.service``, ``engine`` -> ``neuroplayer-engine.service``."""
    return f"{USER}.service" if role == "run" else f"{USER}-{role}.service"


def unit(
    role: str, *, python: str = sys.executable, music_at_home: bool = False, internet: bool = False
) -> Unit:
    """The unit of a role, or of everything (``run``); with ``internet`` who plays music may reach it.

    Raises ``UnitError``.
    """
    if _PLAIN_PATH.fullmatch(python) is None:
        raise UnitError(f"the path of Python {python!r:.200} must have no blanks or quotes")
    if python.startswith(("/home/", "/root/")) and not music_at_home:
        raise UnitError(
            f"the program lies in a home folder ({python}), which the service may not enter: "
            "install it elsewhere, e.g. in /opt/neuroplayer, or allow --home-music"
        )
    lines = [
        "[Unit]",
        f"Description={_WORDS[role]}",
        "Wants=network-online.target",
        "After=network-online.target sound.target"
        + ("" if role in ("run", "broker") else f" {unit_name('broker')} mosquitto.service"),
        "StartLimitIntervalSec=300",
        "StartLimitBurst=10",
        "",
        "[Service]",
        *_start(role, python),
        *_OWN,
        "",
        _SANDBOX.format(home="read-only" if music_at_home else "yes").rstrip(),
        *(() if internet and role in PLAYING else _AT_HOME),
        *_devices(role),
        "",
        "[Install]",
        "WantedBy=multi-user.target",
        "",
    ]
    return Unit(unit_name(role), "\n".join(lines))


def _start(role: str, python: str) -> list[str]:
    command = f"ExecStart={python} -m daemon.cli {role}"
    if role == "broker":  # Mosquitto takes its place in the process
        return ["Type=exec", command]
    return [
        *("Type=notify", "NotifyAccess=main", "WatchdogSec=90"),
        command + (" --plain" if role == "run" else ""),
        "ExecReload=/bin/kill -HUP $MAINPID",
    ]


def _devices(role: str) -> list[str]:
    allowed = _DEVICES.get(role)
    if allowed is None:
        return ["PrivateDevices=yes", "DevicePolicy=closed"]
    groups = " ".join(dict.fromkeys(_GROUPS[kind] for kind in allowed))
    rules = [f"DeviceAllow={kind} rw" for kind in allowed]
    return ["DevicePolicy=closed", *rules, f"SupplementaryGroups={groups}"]
