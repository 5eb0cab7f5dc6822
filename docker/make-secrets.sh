#!/bin/sh
# Makes a password for each role and Mosquitto's file of their hashes, once: sh docker/make-secrets.sh
# The containers run as user 10001 and read files of mode 0600, so the files are given to that user: by root (sudo),
# else by Docker. Home Assistant's password stays with you, who types it in. Another image user: its number as argument.
set -eu
cd "$(dirname "$0")"
user="${1:-10001}"
image=eclipse-mosquitto:2
me="$(id -u)"
case "$user" in
    '' | *[!0-9]*) echo "make-secrets: the argument must be the number of a user, got '$user'" >&2; exit 2 ;;
esac
[ ! -e secrets ] || { echo "docker/secrets is there already: remove it to make new passwords"; exit 0; }

umask 077
new="$PWD/secrets.new"
rm -rf "$new"
mkdir "$new"
trap 'rm -rf "$new"' EXIT
trap 'exit 1' HUP INT TERM

: > "$new/mosquitto.passwd"
for name in engine player web homeassistant; do
    head -c 24 /dev/urandom | base64 | tr -d '\n' > "$new/$name"
    printf '%s:%s\n' "$name" "$(cat "$new/$name")" >> "$new/mosquitto.passwd"
done

fail() { echo "make-secrets: $1; nothing was kept" >&2; exit 1; }
if command -v mosquitto_passwd >/dev/null 2>&1; then
    mosquitto_passwd -U "$new/mosquitto.passwd" || fail "mosquitto_passwd failed"
else
    docker run --rm -u "$me" -v "$new:/secrets" "$image" mosquitto_passwd -U /secrets/mosquitto.passwd \
        || fail "the passwords need mosquitto_passwd (apt install mosquitto) or Docker to be hashed"
fi
if [ "$me" = 0 ]; then
    chown "$user:$user" "$new/mosquitto.passwd" "$new/engine" "$new/player" "$new/web"
    chown "${SUDO_UID:-0}:${SUDO_GID:-0}" "$new" "$new/homeassistant"
elif [ "$me" != "$user" ]; then
    docker run --rm -u 0 -v "$new:/secrets" "$image" sh -c \
        "cd /secrets && chown $user:$user mosquitto.passwd engine player web" \
        || fail "the files must belong to the containers' user $user: run it with sudo, or where Docker answers"
fi
mv "$new" secrets
echo "Made: docker/secrets (Home Assistant's password is in docker/secrets/homeassistant)"
