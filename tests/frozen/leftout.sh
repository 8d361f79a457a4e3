#!/usr/bin/env bash
# Says which services are not tested under a frozen clock, because this machine has not what they run on. With
# VERBATIM_DEMAND_SOROBAN set, as in CI, that is an error.
set -euo pipefail

left=0
# needs PROGRAM WHAT
needs() {
  command -v "$1" >/dev/null && return
  echo "LEFT OUT: the service in $2 under a frozen clock, and the snippet in it: there is no $1 here." >&2
  left=2
}
needs node Node.js
needs javac Java
[ -z "${VERBATIM_DEMAND_SOROBAN:-}" ] || exit "$left"
