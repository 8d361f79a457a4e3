#!/usr/bin/env bash
# npm.sh FROM INTO installs what FROM/package.json names into INTO, where it is not there yet.
set -euo pipefail

from=$1
into=$2

cmp -s "$from/package-lock.json" "$into/.installed" && exit
rm -rf "$into"
mkdir -p "$into"
cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$into"
npm --prefix "$into" ci --silent >&2 || { echo "npm could not install what $from/package.json names" >&2; exit 1; }
cp "$into/package-lock.json" "$into/.installed"
