#!/bin/sh
# Installs one lock file, every wheel checked by its hash, and the product itself in editable form.
set -eu
lock="$1"
python=.venv/bin/python
[ -x .venv/bin/uv ] || "$python" -m pip install -q --disable-pip-version-check uv || true
if [ -x .venv/bin/uv ]; then
    .venv/bin/uv pip install -q --python "$python" --require-hashes -r "$lock"
else
    "$python" -m pip install -q --disable-pip-version-check --require-hashes -r "$lock"
fi
"$python" -m pip install -q --disable-pip-version-check --no-deps -e .
