#!/usr/bin/env bash
# Provisions for real, twice, in a root of its own, then asks the site through the nginx that was configured there.
#
#   sudo deploy/ec2/try_root.sh BUNDLE [ROOT]
#
# Takes what is committed. Needs root and debootstrap, and no cloud. ROOT is made if it is not there (a minute), and kept
# for the next time. What needs a running systemd is done by hand: systemd-socket-activate hands the socket over.
set -euo pipefail

bundle=$(realpath "${1:?usage: try_root.sh BUNDLE [ROOT]}")
root=${2:-/tmp/celebml-root}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
port=${PORT:-8098}

[ "$(id -u)" = 0 ] || { echo "run this as root" >&2; exit 1; }
if [ ! -e "$root/etc/debian_version" ]; then
    debootstrap --variant=minbase --include=ca-certificates,systemd bookworm "$root" http://deb.debian.org/debian >/dev/null
fi
if curl -s --max-time 2 "http://127.0.0.1:$port/" >/dev/null; then echo "port $port is taken; set PORT" >&2; exit 1; fi
pids=()
end() {
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
    wait
    umount "$root/proc" "$root/dev" 2>/dev/null || true
}
trap end EXIT
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
mountpoint -q "$root/dev" || mount --bind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
# A package index of this machine, and the certificates it is trusted by, serve in there too.
cp -r /etc/ssl/certs/. "$root/etc/ssl/certs/"
if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$root/etc/pip.conf"; fi

rm -rf "$root/root/celebml" "$root/root/bundle"
mkdir -p "$root/root/celebml"
git -C "$here/../.." archive HEAD | tar -xf - -C "$root/root/celebml"
cp -rL "$bundle" "$root/root/bundle"

in_root=(chroot "$root" env HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin)
inside() { "${in_root[@]}" "$@"; }
provision() { inside BUNDLE=/root/bundle HTTP_PORT="$port" /root/celebml/deploy/ec2/provision.sh; }
fail() {
    echo "FAILED: $*" >&2
    exit 1
}

echo "== first run"
provision
echo "== second run"
again=$(provision)
echo "$again"
! grep -qE "wrote|installing|nginx serves" <<<"$again" || fail "the second run changed something"

echo "== the site through its nginx"
rm -f "$root/run/celebml.sock"
"${in_root[@]}" systemd-socket-activate --listen=/run/celebml.sock --setenv=CELEBML_BUNDLE=/opt/celebml/bundle \
    --setenv=CELEBML_PROXIES=1 --setenv=HOME=/var/lib/celebml \
    /usr/sbin/runuser -u celebml -- sh -c 'cd /opt/celebml/current && LISTEN_PID=$$ exec .venv/bin/python -m celebml serve' \
    >"$root/var/log/celebml-try.log" 2>&1 &
pids+=($!)
for _ in $(seq 50); do
    if [ -S "$root/run/celebml.sock" ]; then break; fi
    sleep 0.1
done
chown root:www-data "$root/run/celebml.sock" 2>/dev/null || chgrp 33 "$root/run/celebml.sock"
chmod 0660 "$root/run/celebml.sock"
"${in_root[@]}" nginx -g 'daemon off;' &
pids+=($!)
site=http://127.0.0.1:$port
curl -fsS --max-time 20 --retry 10 --retry-delay 1 --retry-connrefused "$site/readyz" || { cat "$root/var/log/celebml-try.log"; fail "not ready"; }
echo
curl -fsS "$site/" | grep -q "Who is this" || fail "no page"
[ "$(curl -sI "$site/" | grep -ci content-security-policy)" = 1 ] || fail "no security headers on the page"
[ "$(curl -sI "$site/hello" | grep -ci content-security-policy)" = 1 ] || fail "security headers of the app doubled or missing"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$site/nowhere")" = 404 ] || fail "no 404"
head -c 22000000 /dev/zero >"$root/tmp/large"
curl -s --max-time 20 -F "photo=@$root/tmp/large" "$site/api/v1/classify" | grep -q too-large || fail "no 413"
picture=$(find "$bundle/pictures" -name '*.jpg' | sort | head -n 1)
curl -fsS -F "photo=@$picture" "$site/api/v1/classify" | grep -o '"name":"[^"]*"' | head -n 1
echo "too many at once: $(for _ in $(seq 80); do curl -s -o /dev/null -w '%{http_code}\n' -X POST "$site/api/v1/classify" & done | sort | uniq -c | tr '\n' ' ')"

echo "== another release, and back"
before=$(inside celebml-release list)
echo "# another" >>"$root/root/celebml/README.md"
inside celebml-release code /root/celebml
inside celebml-release rollback code
[ "$(inside celebml-release list | grep '\*')" = "$(grep '\*' <<<"$before")" ] || fail "the rollback did not go back"
inside celebml-release list

echo "== backups"
inside install -d -o celebml -g celebml /var/lib/celebml/feedback/photographs/Ada
inside sqlite3 /var/lib/celebml/feedback/feedback.sqlite "create table if not exists feedback (file text)"
inside cp /root/bundle/manifest.json /var/lib/celebml/feedback/photographs/Ada/one.jpg
archive=$(inside celebml-backup)
inside tar -tzf "$archive" | grep -q photographs/Ada/one.jpg || fail "the backup lacks a photograph"
echo "all as it should be"
