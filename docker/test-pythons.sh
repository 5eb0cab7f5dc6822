#!/bin/sh
# Runs the whole suite on each Python from 3.11 on that this machine has, one after another, each in an environment of
# its own (.venv-python3.12 ...) from the one lock. Looks on PATH and among pyenv's. Usage: test-pythons.sh MAKE [3.12 ...]
set -u
make="$1"
shift
failed=""
report=""

interpreter() {
    for one in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
        [ -n "$one" ] && "$one" -c "import sys; sys.exit(sys.version_info[:2] != tuple(map(int, '$1'.split('.'))))" 2>/dev/null \
            && { echo "$one"; return; }
    done
}

for version in ${*:-3.11 3.12 3.13 3.14}; do
    python="$(interpreter "$version")"
    if [ -z "$python" ]; then
        said="skipped, this machine has none"
    elif "$make" --no-print-directory test PYTHON="$python" VENV=".venv-python$version" ARGS="${ARGS:-}"; then
        said="passed"
    else
        said="FAILED"
        failed="$failed $version"
    fi
    report="$report
Python $version: $said"
done
echo "$report"
[ -z "$failed" ]
