#!/usr/bin/env bash
# Installs Azurite, Microsoft's emulator of its object storage, into .build/azurite. It needs Node.js 20 or newer, with npm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

if ! command -v npm >/dev/null; then
  echo "make clouds needs Node.js 20 or newer, with npm: Azurite runs on it" >&2
  exit 2
fi
exec "$here/../npm.sh" "$here/azurite" "$here/../../.build/azurite"
