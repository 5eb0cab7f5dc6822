#!/bin/sh
# Puts the command `neuroplayer` on the PATH of this user: in an environment of its own by pipx or uv where one
# of them is, else as a link to the environment of this checkout. The versions are those of the lock either way.
set -eu
python="$1"
venv="${VENV:-.venv}"
bin="$HOME/.local/bin"

versions="$(mktemp)"
trap 'rm -f "$versions"' EXIT
# a constraint with hashes would ask for one of the checkout itself
sed -n 's/^\([A-Za-z0-9][^ \\]*==[^\\]*[^ \\]\).*$/\1/p' requirements-run.lock >"$versions"

if command -v pipx >/dev/null 2>&1; then
    pipx install --force --python "$python" --pip-args="--constraint '$versions'" .
    bin="$(pipx environment --value PIPX_BIN_DIR 2>/dev/null || echo "$bin")"
elif command -v uv >/dev/null 2>&1; then
    uv tool install --force --python "$python" --constraints "$versions" .
    bin="$(uv tool dir --bin 2>/dev/null || echo "$bin")"
else
    command="$bin/neuroplayer"
    if [ -e "$command" ] && [ ! -L "$command" ]; then
        echo "make: $command is there already and is no link: move it away first" >&2
        exit 2
    fi
    mkdir -p "$bin"
    ln -sfn "$(cd "$venv/bin" && pwd)/neuroplayer" "$command"
    echo "Linked: $command, to the environment of this folder, which has to stay"
fi
case ":$PATH:" in
*":$bin:"*) echo "Try: neuroplayer --help" ;;
*) echo "$bin is not on your PATH: add it (in ~/.profile: PATH=\"$bin:\$PATH\"), then try: neuroplayer --help" ;;
esac
