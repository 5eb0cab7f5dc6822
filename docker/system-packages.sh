#!/bin/sh
# Looks for the system parts the product (run) or its tests (test) can use, installs what is missing where
# that is allowed, and otherwise says what goes on without them.
set -u
here="$(dirname "$0")"
want="${1:-run}"
missing=""

has_library() {
    ldconfig -p 2>/dev/null | grep -q "$1" || ls /usr/lib/*/"$1"* >/dev/null 2>&1
}
has_command() {
    command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]
}

has_command mosquitto || missing="$missing mosquitto"
if ! has_library libvlc.so.5; then missing="$missing libvlc5 vlc-plugin-base"; fi
if [ "$want" = test ]; then
    has_command mosquitto_sub || missing="$missing mosquitto-clients"
    has_command pulseaudio || missing="$missing pulseaudio"
    # Playwright's own node needs it
    has_library libatomic.so.1 || missing="$missing libatomic1"
    has_command chromium || has_command google-chrome || missing="$missing chromium"
fi
[ -n "$missing" ] || exit 0

# shellcheck disable=SC2086  # the list is split on purpose
if sh "$here/apt-install.sh" $missing; then exit 0; fi
for package in $missing; do
    case "$package" in
        mosquitto) echo "Not installed: mosquitto (going on with the embedded MQTT broker). To add it: apt install mosquitto" ;;
        libvlc5) echo "Not installed: libvlc5 vlc-plugin-base (going on with the PyAV decoder). To add them: apt install libvlc5 vlc-plugin-base" ;;
        vlc-plugin-base) ;;
        libatomic1) echo "Not installed: libatomic1 (the tests in a browser will be skipped). To add it: apt install libatomic1" ;;
        *) echo "Not installed: $package (its tests will be skipped). To add it: apt install $package" ;;
    esac
done
exit 0
