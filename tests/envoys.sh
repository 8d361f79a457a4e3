#!/usr/bin/env bash
# Runs the filter's tests, and those end to end that match a pattern, with each Envoy of a list. The wire tests run in
# every place where the capture can be.
#
# Usage: tests/envoys.sh PATTERN ENVOY...
#   ENVOY  an environment under .build that deploy/setup.sh made: envoy, or one of the older ones, such as envoy-1.38.3
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pattern=$1
shift
# Linked once for all of them.
tests=$(mktemp -d)
trap 'rm -rf "$tests"' EXIT
go test -race -c -o "$tests/" ./filter ./tests/e2e

failed=()
for envoy in "$@"; do
  export VERBATIM_ENVOY=$PWD/.build/$envoy/bin/envoy
  "$VERBATIM_ENVOY" --version | tr -s '\n'
  (cd filter && "$tests/filter.test" -test.timeout=5m) || failed+=("$envoy, filter")
  (cd tests/e2e && "$tests/e2e.test" -test.timeout=15m -test.run="$pattern" -wire.places) || failed+=("$envoy, tests/e2e")
done
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed with: %s\n' "$(IFS=';'; echo "${failed[*]}")" >&2
  exit 1
fi
