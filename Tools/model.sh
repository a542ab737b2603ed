#!/bin/sh
# usage: Tools/model.sh BINARY [option of Tests/ResolverModel/check.py]...
# Compares a built moai-flow with the Python model of the resolver; says so loudly where there is no Python.
set -eu

binary=$1
shift
if ! command -v python3 >/dev/null 2>&1; then
  echo "*** SKIPPED: the resolver was NOT compared with its model, because python3 was not found ***" >&2
  exit 0
fi
[ -x "$binary" ] || {
  echo "error: $binary is not there; build it first" >&2
  exit 1
}
exec python3 Tests/ResolverModel/check.py --binary "$binary" "$@" </dev/null
