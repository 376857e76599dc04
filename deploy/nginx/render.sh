#!/usr/bin/env bash
# Fills the words between at signs in nginx's files from variables of the same names, and writes them to a folder.
#
#   CONF=/etc/nginx/celebml LISTEN=80 ... render.sh OUT
#
# BODIES is a folder on a tmpfs for what nginx does not keep in its buffers; CORS= (empty) closes the tutorials' address to
# other sites, as CELEBML_LEGACY_OPEN=no does in the app; BROTLI=1 where nginx has the module.
#
# A variable that is missing is an error: a half-filled configuration must not reach nginx.
set -euo pipefail

out=${1:?usage: render.sh OUT}
from=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

: "${CONF:?} ${STATIC:?} ${SOCKET:?} ${LOG:?} ${ACME:?} ${LISTEN:?}"
: "${BODIES:=/dev/shm/celebml-bodies}" "${CORS=*}" "${BROTLI:=}"
: "${MAX_BODY_MB:=20}" "${RATE:=10}" "${BURST:=40}" "${CONNECTIONS:=40}" "${DOMAIN:=}" "${CERTIFICATE:=/nowhere}" "${HSTS:=}"

mkdir -p "$out"
for name in upstream.conf locations.conf proxy.conf headers.conf problems.conf compression.conf http.conf https.conf; do
    sed -e "s|@CONF@|$CONF|g" -e "s|@STATIC@|$STATIC|g" -e "s|@SOCKET@|$SOCKET|g" -e "s|@LOG@|$LOG|g" \
        -e "s|@ACME@|$ACME|g" -e "s|@LISTEN@|$LISTEN|g" -e "s|@MAX_BODY_MB@|$MAX_BODY_MB|g" -e "s|@RATE@|$RATE|g" \
        -e "s|@BURST@|$BURST|g" -e "s|@CONNECTIONS@|$CONNECTIONS|g" -e "s|@DOMAIN@|$DOMAIN|g" \
        -e "s|@CERTIFICATE@|$CERTIFICATE|g" -e "s|@BODIES@|$BODIES|g" -e "s|@CORS@|$CORS|g" "$from/$name" >"$out/$name.new"
    if grep -q '@[A-Z_]*@' "$out/$name.new"; then
        echo "render.sh: $name has a word that was not filled in" >&2
        exit 1
    fi
    mv "$out/$name.new" "$out/$name"
done
if [ -n "$HSTS" ]; then
    echo 'add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;' >>"$out/headers.conf"
fi
if [ -n "$BROTLI" ]; then
    {
        echo 'brotli on;'
        grep '^gzip_types' "$from/compression.conf" | sed 's/^gzip/brotli/'
        echo 'brotli_min_length 1000;'
    } >>"$out/compression.conf"
fi
