#!/usr/bin/env bash
# Runs the site on this machine behind the real nginx, as an ordinary user: deploy/nginx/serve.sh PORT BUNDLE [PYTHON]
# Ends both with Ctrl-C. The folder $RUN holds socket, logs and nginx's files; it is made in /tmp and removed at the end.
set -euo pipefail

port=${1:?usage: serve.sh PORT BUNDLE [PYTHON]}
bundle=${2:?usage: serve.sh PORT BUNDLE [PYTHON]}
python=${3:-python3}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
site=$(cd "$here/../.." && pwd)
nginx=$(command -v nginx || echo /usr/sbin/nginx)
[ -x "$nginx" ] || { echo "nginx is not installed; try: apt-get install nginx-light" >&2; exit 1; }

made=
[ -n "${RUN:-}" ] || { RUN=$(mktemp -d /tmp/celebml-site.XXXXXX); made=1; }
mkdir -p "$RUN/temp" "$RUN/acme"
bodies=$(mktemp -d "$([ -w /dev/shm ] && echo /dev/shm || echo "$RUN")/celebml-bodies.XXXXXX")
load='' BROTLI=''
module=/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so
if [ -e "$module" ]; then load="load_module $module;" BROTLI=1; fi
case ${CELEBML_LEGACY_OPEN:-yes} in 0 | no | false) CORS='' ;; *) CORS='*' ;; esac
export CORS BROTLI BODIES=$bodies/nginx
export CONF=$RUN/conf STATIC=$site/app/site/static SOCKET=$RUN/app.sock LOG=$RUN ACME=$RUN/acme
export LISTEN=${LISTEN:-127.0.0.1:$port} RATE=${RATE:-1000} BURST=${BURST:-1000} CONNECTIONS=${CONNECTIONS:-1000}
"$here/render.sh" "$CONF"
user=
if [ "$(id -u)" = 0 ]; then user="user $(id -un);"; fi  # the folder may be open to root alone
cat >"$RUN/nginx.conf" <<END
$load
$user
pid $RUN/nginx.pid;
error_log $RUN/error.log warn;
worker_processes 1;
daemon off;
events { worker_connections 2048; }
http {
    types { text/html html; text/css css; application/javascript js; image/svg+xml svg; image/png png; application/json json; }
    default_type application/octet-stream;
    proxy_temp_path $RUN/temp/proxy;
    fastcgi_temp_path $RUN/temp/fastcgi;
    uwsgi_temp_path $RUN/temp/uwsgi;
    scgi_temp_path $RUN/temp/scgi;
    include $CONF/upstream.conf;
    include $CONF/http.conf;
}
END

cd "$site"
CELEBML_BUNDLE=$bundle CELEBML_BIND=unix:$SOCKET CELEBML_PROXIES=1 \
    GUNICORN_CMD_ARGS="--pid $RUN/gunicorn.pid" "$python" -m celebml serve &
app=$!
front=
end() {
    trap - EXIT INT TERM
    [ -z "$front" ] || kill -QUIT "$front" 2>/dev/null || true
    kill -TERM "$app" 2>/dev/null || true
    wait || true
    rm -rf "$bodies"
    [ -z "$made" ] || rm -rf "$RUN"
}
trap end EXIT
trap 'exit 0' INT TERM
for _ in $(seq 300); do
    [ -S "$SOCKET" ] && break
    kill -0 "$app" 2>/dev/null || { echo "the site did not start" >&2; exit 1; }
    sleep 0.1
done
"$nginx" -e "$RUN/error.log" -p "$RUN" -c "$RUN/nginx.conf" &
front=$!
echo "the site is at http://${LISTEN/#*:/127.0.0.1:}/  (Ctrl-C ends it)"
wait -n "$app" "$front"
