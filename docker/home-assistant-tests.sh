#!/bin/sh
# Runs the discovery tests inside the newest Home Assistant that the given Python can run, in an environment of
# its own: Home Assistant pins its dependencies and must not share ours. Python 3.11 ends at 2024.3, which is also
# the oldest version supported; a newer Python (HA_PYTHON=python3.13 make home-assistant-test) gets a newer one,
# HA_VERSION=2025.1.4 that one. NEUROPLAYER_HA_PYTHON names a Python that has a Home Assistant already.
set -eu
here=tests/home_assistant
if [ -z "${NEUROPLAYER_HA_PYTHON:-}" ]; then
    python="${HA_PYTHON:-python3}"
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    env="${HA_ENV:-.venv-home-assistant-$version}"
    if [ ! -x "$env/bin/python" ]; then
        "$python" -m venv "$env"
        "$env/bin/python" -m pip install -q uv
    fi
    install() { UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true "$env/bin/uv" pip install -q --python "$env/bin/python" "$@"; }
    install "homeassistant${HA_VERSION:+==$HA_VERSION}" "numpy"
    "$env/bin/python" tests/support/peers/real_home_assistant.py --requirements > "$env/requirements.txt"
    install -r "$env/requirements.txt"
    NEUROPLAYER_HA_PYTHON="$env/bin/python"
fi
export NEUROPLAYER_HA_PYTHON
"$NEUROPLAYER_HA_PYTHON" -c 'import platform, homeassistant.const as ha
print("Home Assistant", ha.__version__, "on Python", platform.python_version())'
"${VENV:-.venv}/bin/python" -m pytest -q -rs "$here" "$@"
