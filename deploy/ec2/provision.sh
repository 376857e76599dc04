#!/usr/bin/env bash
# Makes a Debian 12 or Ubuntu 24.04 machine serve the site. Running it again changes only what is not yet so.
#
#   sudo SOURCE=/path/to/celebml BUNDLE=/path/to/bundle deploy/ec2/provision.sh
#
# SOURCE     code: a folder, a .tar.gz or s3://…; the folder that this script stands in by default
# BUNDLE     the model, the same kinds; without one and with none installed, the default set is trained here
# DOMAIN     a name that points to this machine: the site gets a certificate and speaks https only
# EMAIL      where the certificate's authority writes to
# FEEDBACK   yes: visitors may send corrections
# FETCH      hosts that photographs may be fetched from, separated by commas
# BACKUP_S3  s3://bucket/prefix that backups are copied to
# LOG_GROUP  CloudWatch group that logs go to (the agent is installed when this is set)
# HTTP_PORT  80 by default
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${SOURCE:=$(cd "$here/../.." && pwd)}" "${BUNDLE:=}" "${DOMAIN:=}" "${EMAIL:=}" "${FEEDBACK:=no}" "${FETCH:=}"
: "${BACKUP_S3:=}" "${LOG_GROUP:=}" "${HTTP_PORT:=80}" "${MAX_BODY_MB:=20}"
root=/opt/celebml

say() { echo "provision: $*"; }
running() { [ -d /run/systemd/system ]; }
[ "$(id -u)" = 0 ] || { say "run this as root"; exit 1; }

# Writes standard input to a file, only if that changes it, and remembers that it did.
changed=no
put() {
    local path=$1 mode=$2 new
    new=$(mktemp)
    cat >"$new"
    if ! cmp -s "$new" "$path"; then
        mkdir -p "$(dirname "$path")"
        install -m "$mode" "$new" "$path"
        changed=yes
        say "wrote $path"
    fi
    rm -f "$new"
}

BROTLI_MODULE=/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so

packages() {
    local missing=() name
    for name in nginx-light python3-venv certbot curl sqlite3 ca-certificates logrotate unattended-upgrades; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
    done
    # Debian and Ubuntu have brotli for nginx since 2023; without it there is gzip.
    if [ ! -e "$BROTLI_MODULE" ] && apt-cache show libnginx-mod-http-brotli-filter >/dev/null 2>&1; then
        missing+=(libnginx-mod-http-brotli-filter)
    fi
    if [ ${#missing[@]} = 0 ]; then return 0; fi
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

folders() {
    getent passwd celebml >/dev/null ||
        useradd --system --home-dir /var/lib/celebml --shell /usr/sbin/nologin --user-group celebml
    install -d -m 0755 "$root" /etc/celebml /var/www/celebml-acme
    install -d -m 0700 -o celebml -g celebml /var/lib/celebml
    install -d -m 0700 /var/backups/celebml
}

settings() {
    put /etc/celebml/site.env 0644 < <(
        echo "# Written by provision.sh. Settings of your own go into /etc/celebml/local.env."
        echo "CELEBML_BUNDLE=$root/bundle"
        echo "CELEBML_PROXIES=1"
        echo "CELEBML_MAX_BODY_MB=$MAX_BODY_MB"
        if [ -n "$DOMAIN" ] && [ -e "/etc/letsencrypt/live/$DOMAIN/fullchain.pem" ]; then echo "CELEBML_HSTS=1"; fi
        if [ "$FEEDBACK" = yes ]; then echo "CELEBML_FEEDBACK=/var/lib/celebml/feedback"; fi
        if [ -n "$FETCH" ]; then echo "CELEBML_FETCH_HOSTS=$FETCH"; fi
        if [ -n "$BACKUP_S3" ]; then echo "BACKUP_S3=$BACKUP_S3"; fi
    )
}

units() {
    local name
    for name in celebml.socket celebml.service celebml-backup.service celebml-backup.timer \
        celebml-retention.service celebml-retention.timer; do
        put "/etc/systemd/system/$name" 0644 <"$here/systemd/$name"
    done
    if [ -n "$FETCH" ]; then
        put /etc/systemd/system/celebml.service.d/fetch.conf 0644 <"$here/systemd/fetch.conf"
    elif [ -e /etc/systemd/system/celebml.service.d/fetch.conf ]; then
        rm /etc/systemd/system/celebml.service.d/fetch.conf
        changed=yes
    fi
    put /usr/local/sbin/celebml-release 0755 <"$here/celebml-release"
    put /usr/local/sbin/celebml-backup 0755 <"$here/celebml-backup"
    if ! command -v systemctl >/dev/null; then return 0; fi
    systemctl --quiet enable celebml.socket celebml.service celebml-backup.timer celebml-retention.timer
    if running; then
        systemctl daemon-reload
        systemctl --quiet start celebml.socket celebml-backup.timer celebml-retention.timer
    fi
}

releases() {
    celebml-release code "$SOURCE"
    if [ -n "$BUNDLE" ]; then
        celebml-release bundle "$BUNDLE"
    elif [ ! -L "$root/bundle" ]; then
        say "no bundle was given: training the default set"
        local work
        work=$(mktemp -d)
        chown celebml: "$work"
        (cd "$work" && HOME=$work runuser -u celebml -- "$root/current/.venv/bin/celebml" run johns --out "$work/run")
        celebml-release bundle "$work/run/bundle"
        rm -rf "$work"
    fi
}

# nginx's files are rendered beside the old ones and taken over only if nginx accepts them.
front() {
    local scheme=http certificate=/etc/letsencrypt/live/$DOMAIN hsts='' brotli='' cors='*' out name
    if [ -e "$BROTLI_MODULE" ]; then brotli=1; fi
    if grep -qsiE '^CELEBML_LEGACY_OPEN=(no|0|false)' /etc/celebml/local.env; then cors=''; fi
    if [ -n "$DOMAIN" ] && [ -e "$certificate/fullchain.pem" ]; then scheme=https hsts=1; fi
    out=$(mktemp -d)
    CONF=/etc/nginx/celebml STATIC=$root/current/app/site/static SOCKET=/run/celebml.sock LOG=/var/log/nginx \
        ACME=/var/www/celebml-acme LISTEN=$HTTP_PORT MAX_BODY_MB=$MAX_BODY_MB DOMAIN=$DOMAIN CERTIFICATE=$certificate \
        HSTS=$hsts BROTLI=$brotli CORS=$cors "$here/../nginx/render.sh" "$out"
    printf 'include /etc/nginx/celebml/upstream.conf;\ninclude /etc/nginx/celebml/%s.conf;\n' "$scheme" >"$out/site.conf"
    rm -f /etc/nginx/sites-enabled/default
    if diff -rq "$out" /etc/nginx/celebml >/dev/null 2>&1 && [ -e /etc/nginx/conf.d/celebml.conf ]; then
        rm -rf "$out"
        return 0
    fi
    rm -rf /etc/nginx/celebml.old
    if [ -d /etc/nginx/celebml ]; then cp -a /etc/nginx/celebml /etc/nginx/celebml.old; fi
    mkdir -p /etc/nginx/celebml
    cp -r "$out/." /etc/nginx/celebml/
    find /etc/nginx/celebml -type d -exec chmod 0755 {} + -o -type f -exec chmod 0644 {} +
    rm -rf "$out"
    name=/etc/nginx/conf.d/celebml.conf
    ln -sfn /etc/nginx/celebml/site.conf "$name"
    if ! nginx -t -q; then
        rm -rf /etc/nginx/celebml
        if [ -d /etc/nginx/celebml.old ]; then mv /etc/nginx/celebml.old /etc/nginx/celebml; else rm -f "$name"; fi
        say "nginx does not accept the new configuration; the old one stays"
        exit 1
    fi
    rm -rf /etc/nginx/celebml.old
    say "nginx serves $scheme"
    if running; then systemctl reload-or-restart nginx; fi
}

certificate() {
    if [ -z "$DOMAIN" ] || [ -e "/etc/letsencrypt/live/$DOMAIN/fullchain.pem" ]; then return 1; fi
    local who
    if [ -n "$EMAIL" ]; then who=(--email "$EMAIL"); else who=(--register-unsafely-without-email); fi
    if ! certbot certonly --non-interactive --agree-tos "${who[@]}" --webroot --webroot-path /var/www/celebml-acme \
        --domain "$DOMAIN" --deploy-hook "systemctl reload nginx"; then
        say "no certificate yet: does $DOMAIN point to this machine? The site speaks http, and we ask again every quarter hour"
        return 1
    fi
}

# A new machine gets its fixed address, and its name, only later: ask for the certificate until it is there.
again() {
    local certificate=/etc/letsencrypt/live/$DOMAIN/fullchain.pem
    if [ -z "$DOMAIN" ]; then return 0; fi
    changed=no
    put /etc/celebml/provision.env 0600 < <(
        printf '%s\n' "DOMAIN=$DOMAIN" "EMAIL=$EMAIL" "FEEDBACK=$FEEDBACK" "FETCH=$FETCH" "BACKUP_S3=$BACKUP_S3" \
            "LOG_GROUP=$LOG_GROUP" "HTTP_PORT=$HTTP_PORT" "MAX_BODY_MB=$MAX_BODY_MB"
    )
    put /etc/systemd/system/celebml-certificate.service 0644 <<END
[Unit]
Description=Ask for the certificate of $DOMAIN
ConditionPathExists=!$certificate

[Service]
Type=oneshot
EnvironmentFile=/etc/celebml/provision.env
ExecStart=$root/current/deploy/ec2/provision.sh
END
    put /etc/systemd/system/celebml-certificate.timer 0644 <<END
[Unit]
Description=Ask for the certificate of $DOMAIN until it is there
ConditionPathExists=!$certificate

[Timer]
OnActiveSec=15min
OnUnitActiveSec=15min

[Install]
WantedBy=timers.target
END
    if [ "$changed" = no ] || ! command -v systemctl >/dev/null; then return 0; fi
    systemctl --quiet enable celebml-certificate.timer
    if running; then
        systemctl daemon-reload
        systemctl --quiet start celebml-certificate.timer
    fi
}

logs() {
    put /etc/systemd/journald.conf.d/celebml.conf 0644 <<'END'
[Journal]
SystemMaxUse=500M
MaxRetentionSec=30day
END
    if [ -z "$LOG_GROUP" ]; then return 0; fi
    if ! [ -x /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl ]; then
        local package
        package=$(mktemp --suffix=.deb)
        curl -fsSL -o "$package" \
            "https://amazoncloudwatch-agent.s3.amazonaws.com/debian/$(dpkg --print-architecture)/latest/amazon-cloudwatch-agent.deb"
        dpkg -i "$package" >/dev/null
        rm -f "$package"
    fi
    changed=no
    put /opt/aws/amazon-cloudwatch-agent/etc/celebml.json 0644 <<END
{
  "metrics": {
    "namespace": "celebml",
    "append_dimensions": {"InstanceId": "\${aws:InstanceId}"},
    "aggregation_dimensions": [["InstanceId"]],
    "metrics_collected": {
      "disk": {"measurement": ["used_percent"], "resources": ["/"], "drop_device": true},
      "mem": {"measurement": ["used_percent"]}
    }
  },
  "logs": {
    "logs_collected": {
      "files": {
        "collect_list": [
          {"file_path": "/var/log/nginx/access.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "access"},
          {"file_path": "/var/log/nginx/error.log", "log_group_name": "$LOG_GROUP", "log_stream_name": "error"}
        ]
      }
    }
  }
}
END
    if [ "$changed" = yes ]; then
        /opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl -a fetch-config -m ec2 -s \
            -c file:/opt/aws/amazon-cloudwatch-agent/etc/celebml.json >/dev/null
    fi
}

packages
folders
settings
units
if running && [ "$changed" = yes ] && systemctl is-active --quiet celebml.service; then systemctl restart celebml.service; fi
releases
if running; then systemctl start celebml.service; fi
front
logs
if certificate; then
    settings
    front
    if running; then systemctl restart celebml.service; fi
fi
again
say "done"
