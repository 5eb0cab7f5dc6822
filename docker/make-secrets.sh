#!/bin/sh
# Makes a password for each role and Mosquitto's file of their hashes, once. Files of mode 0600, owned by the
# containers' user.
set -eu
cd "$(dirname "$0")"
user=10001
umask 077
mkdir -p secrets
[ -e secrets/mosquitto.passwd ] && { echo "docker/secrets is there already"; exit 0; }
: > secrets/mosquitto.passwd
for name in engine player web homeassistant; do
    head -c 24 /dev/urandom | base64 | tr -d '\n' > "secrets/$name"
    printf '%s:%s\n' "$name" "$(cat "secrets/$name")" >> secrets/mosquitto.passwd
done
if command -v mosquitto_passwd >/dev/null 2>&1; then
    mosquitto_passwd -U secrets/mosquitto.passwd
else
    docker run --rm -u "$(id -u)" -v "$PWD/secrets:/secrets" eclipse-mosquitto:2 mosquitto_passwd -U /secrets/mosquitto.passwd
fi
[ "$(id -u)" = 0 ] && chown "$user:$user" secrets/*
echo "Made: docker/secrets (Home Assistant's password is in docker/secrets/homeassistant)"
