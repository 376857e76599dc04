#!/usr/bin/env bash
# Fills the words between at signs in nginx's files from variables of the same names, and writes them to a folder.
#
#   CONF=/etc/nginx/celebml LISTEN=80 ... render.sh OUT
#
# A variable that is missing is an error: a half-filled configuration must not reach nginx.
set -euo pipefail

out=${1:?usage: render.sh OUT}
from=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${CONF:?} ${STATIC:?} ${SOCKET:?} ${LOG:?} ${ACME:?} ${LISTEN:?}"
: "${MAX_BODY_MB:=20}" "${RATE:=10}" "${BURST:=40}" "${CONNECTIONS:=40}" "${DOMAIN:=}" "${CERTIFICATE:=/nowhere}" "${HSTS:=}"

mkdir -p "$out/problems"
for name in upstream.conf locations.conf proxy.conf headers.conf http.conf https.conf; do
    sed -e "s|@CONF@|$CONF|g" -e "s|@STATIC@|$STATIC|g" -e "s|@SOCKET@|$SOCKET|g" -e "s|@LOG@|$LOG|g" \
        -e "s|@ACME@|$ACME|g" -e "s|@LISTEN@|$LISTEN|g" -e "s|@MAX_BODY_MB@|$MAX_BODY_MB|g" -e "s|@RATE@|$RATE|g" \
        -e "s|@BURST@|$BURST|g" -e "s|@CONNECTIONS@|$CONNECTIONS|g" -e "s|@DOMAIN@|$DOMAIN|g" \
        -e "s|@CERTIFICATE@|$CERTIFICATE|g" "$from/$name" >"$out/$name.new"
    if grep -q '@[A-Z_]*@' "$out/$name.new"; then
        echo "render.sh: $name has a word that was not filled in" >&2
        exit 1
    fi
    mv "$out/$name.new" "$out/$name"
done
if [ -n "$HSTS" ]; then
    echo 'add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;' >>"$out/headers.conf"
fi
install -m 0644 "$from"/problems/*.json "$out/problems/"
