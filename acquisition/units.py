"""Units of voltage by the names that files and streams give them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TO_UV: Mapping[str, float] = MappingProxyType(
    {
        "": 1.0,
        "nv": 1e-3,
        "uv": 1.0,
        "µv": 1.0,
        "μv": 1.0,
        "microvolt": 1.0,
        "microvolts": 1.0,
        "mv": 1e3,
        "millivolt": 1e3,
        "millivolts": 1e3,
        "v": 1e6,
        "volt": 1e6,
        "volts": 1e6,
    }
)
"""Lower-case name of a unit to the factor that makes microvolts of it; no unit stands for microvolts."""
