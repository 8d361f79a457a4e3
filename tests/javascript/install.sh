#!/usr/bin/env bash
# Installs Stellar's JavaScript SDK into .build/javascript, where there is Node.js 20. Elsewhere it says what is left out;
# with VERBATIM_DEMAND_SOROBAN set, as in CI, that is an error.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
into=$here/../../.build/javascript

if ! command -v npm >/dev/null || ! node -e 'process.exit(parseInt(process.versions.node) >= 20 ? 0 : 1)'; then
  echo "LEFT OUT: the test in which Stellar's JavaScript SDK reads the contract: it needs Node.js 20 or newer, with npm." >&2
  [ -z "${VERBATIM_DEMAND_SOROBAN:-}" ] || exit 2
  exit 0
fi
exec "$here/../npm.sh" "$here" "$into"
