#!/bin/sh
# Chromium, Firefox, nginx, and what checks the deployment. As root on Debian or Ubuntu they are installed; otherwise we say what is missing.
has() { command -v "$1" >/dev/null; }
missing=
has chromium-headless-shell || has chromium || has chromium-browser || has google-chrome || missing="chromium"
has firefox-esr || has firefox || missing="$missing firefox-esr"
has nginx || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
has sqlite3 || missing="$missing sqlite3"
has shellcheck || missing="$missing shellcheck"
has systemd-analyze || missing="$missing systemd"
if [ "$(id -u)" = 0 ] && has apt-get && { [ -n "$missing" ] || ! has chromium-headless-shell; }; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # A page of it costs a seventh of the processor time. Ubuntu has no such package.
    if apt-cache show chromium-headless-shell >/dev/null 2>&1; then
        missing="chromium-headless-shell $(echo "$missing" | sed 's/^ *chromium//')"
    fi
    # shellcheck disable=SC2086  # several packages
    if [ -z "$missing" ] || apt-get install -y -qq --no-install-recommends $missing fonts-dejavu-core >/dev/null; then
        exit 0
    fi
fi
[ -n "$missing" ] || exit 0
echo "not installed:$missing; tests that need them are skipped. Mend with: sudo apt-get install $missing" >&2
