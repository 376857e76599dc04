#!/usr/bin/env bash
# Puts what a server needs, and nothing else, into a folder or an archive.
#
#   deploy/pack.sh OUT [BUNDLE]       OUT is a new folder, or ends in .tar.gz
#
# With BUNDLE the model goes along, as bundle/: Heroku and Cloud Run have no other place for it.
set -euo pipefail

out=${1:?usage: pack.sh OUT [BUNDLE]}
bundle=${2:-}
from=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
[ ! -e "$out" ] || { echo "pack.sh: $out is there already" >&2; exit 1; }
[ -z "$bundle" ] || [ -f "$bundle/manifest.json" ] || { echo "pack.sh: $bundle is no bundle" >&2; exit 1; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/celebml"
tar -C "$from" --exclude=__pycache__ -chf - celebml app/__init__.py app/site deploy requirements/deploy.txt \
    settings.ini setup.py pyproject.toml MANIFEST.in README.md LICENSE LICENSE-TEXT.md THIRD_PARTY.md |
    tar -xf - -C "$work/celebml"
cp "$from/deploy/heroku/Procfile" "$from/deploy/heroku/.python-version" "$work/celebml/"
# Heroku installs requirements.txt and runs what lies beside it, so there the apps are found under their name.
cp "$from/requirements/deploy.txt" "$work/celebml/requirements.txt"
ln -s app "$work/celebml/celebml_app"
cp "$from/deploy/gcp/Dockerfile" "$work/celebml/"
if [ -n "$bundle" ]; then cp -rL "$bundle" "$work/celebml/bundle"; fi
case $out in
    *.tar.gz) tar -C "$work" --sort=name --owner=0 --group=0 -czf "$out" celebml ;;
    *) mv "$work/celebml" "$out" ;;
esac
echo "$out"
