#!/bin/sh
# Installs one lock file, every wheel checked by its hash, and the product itself in editable form.
# uv is used because it is fast; pip follows where uv is not to be had or cannot reach the index.
set -eu
lock="$1"
venv="${VENV:-.venv}"
python="$venv/bin/python"
export UV_SYSTEM_CERTS=true UV_NATIVE_TLS=true PIP_DISABLE_PIP_VERSION_CHECK=1
# uv ends where it cannot keep what it downloads; pip goes on, slowly
mkdir -p "${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/proc}/.cache}/uv}" 2>/dev/null || export UV_NO_CACHE=1

with_uv() {
    [ -x "$venv/bin/uv" ] || "$python" -m pip install -q uv || return 1
    "$venv/bin/uv" pip install -q --python "$python" --require-hashes -r "$lock"
}
with_uv || "$python" -m pip install -q --require-hashes -r "$lock"
"$python" -m pip install -q --no-deps -e .
