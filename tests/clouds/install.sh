#!/usr/bin/env bash
# Installs Azurite, Microsoft's emulator of its object storage, into .build/azurite. It needs Node.js 20 or newer, with npm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/azurite" && pwd -P)
into=$here/../../../.build/azurite

cmp -s "$here/package-lock.json" "$into/.installed" && exit
if ! command -v npm >/dev/null; then
  echo "make clouds needs Node.js 20 or newer, with npm: Azurite runs on it" >&2
  exit 2
fi
rm -rf "$into"
mkdir -p "$into"
cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$into"
npm --prefix "$into" ci --silent >&2 || { echo "npm could not install what tests/clouds/azurite/package.json names" >&2; exit 1; }
cp "$into/package-lock.json" "$into/.installed"
