#!/bin/sh
# Chromium, Firefox, nginx, and what checks the deployment. As root on Debian or Ubuntu they are installed; otherwise we say what is missing.
missing=
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || missing="chromium"
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing="$missing firefox-esr"
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$missing nginx-light"
command -v sqlite3 >/dev/null || missing="$missing sqlite3"
command -v shellcheck >/dev/null || missing="$missing shellcheck"
command -v systemd-analyze >/dev/null || missing="$missing systemd"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # several packages
    if apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing fonts-dejavu-core >/dev/null; then
        exit 0
    fi
fi
echo "not installed:$missing; tests that need them are skipped. Mend with: sudo apt-get install$missing" >&2
