#!/bin/sh
# Runs the discovery tests inside the newest Home Assistant that the given Python can run, in an environment of
# its own: Home Assistant pins its dependencies and must not share ours. Python 3.11 ends at 2024.3, which is also
# the oldest version supported; a newer Python (HA_PYTHON=python3.13 make home-assistant-test) gets a newer one.
set -eu
python="${HA_PYTHON:-python3}"
env="${HA_ENV:-.venv-home-assistant}"
here=tests/home_assistant
if [ ! -x "$env/bin/python" ]; then
    "$python" -m venv "$env"
    "$env/bin/python" -m pip install -q uv
fi
install() { UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true "$env/bin/uv" pip install -q --python "$env/bin/python" "$@"; }
install homeassistant "numpy"
"$env/bin/python" "$here/real_home_assistant.py" --requirements > "$env/requirements.txt"
install -r "$env/requirements.txt"
NEUROPLAYER_HA_PYTHON="$env/bin/python" .venv/bin/python -m pytest -q -rs "$here" "$@"
