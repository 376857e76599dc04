#!/bin/sh
# Copy a published page to the bucket of a stack: first what has a hash in its name, then the page that names it.
# Usage: put.sh FOLDER STACK
set -eu
folder=$1 stack=$2
[ -f "$folder/sw.js" ] || { echo "$folder is no published page; make one with: celebml publish BUNDLE --out $folder" >&2; exit 1; }
output() { aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text; }
bucket=$(output Bucket)
aws s3 cp --recursive --only-show-errors --cache-control "public, max-age=31536000, immutable" "$folder/assets" "s3://$bucket/assets"
aws s3 cp --recursive --only-show-errors --cache-control "no-cache" --exclude "assets/*" --exclude ".*" "$folder" "s3://$bucket"
aws s3 cp --only-show-errors --cache-control "no-cache" --content-type application/manifest+json "$folder/manifest.webmanifest" "s3://$bucket/manifest.webmanifest"
aws cloudfront create-invalidation --distribution-id "$(output Distribution)" --paths / /index.html /sw.js /manifest.webmanifest >/dev/null
output Address
