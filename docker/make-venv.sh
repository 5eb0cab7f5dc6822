#!/bin/sh
# Makes .venv with the Python given; on Debian the venv module is a package of its own.
set -eu
python="$1"
venv="${VENV:-.venv}"
[ -x "$venv/bin/python" ] && "$venv/bin/python" -c '' 2>/dev/null && [ -x "$venv/bin/pip" ] && exit 0
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    sh "$(dirname "$0")/apt-install.sh" python3-venv || {
        echo "make: the Python module 'venv' is missing; install it with: apt install python3-venv" >&2
        exit 2
    }
fi
"$python" -m venv "$venv"
