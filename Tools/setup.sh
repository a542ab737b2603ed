#!/bin/sh
# Makes sure that the package can be built: a Swift compiler that is new enough, and SQLite's header and library.
# Installs only the latter, only when missing. Says nothing when all is well.
set -eu

fail() {
  echo "error: $1" >&2
  exit 1
}

command -v swift >/dev/null 2>&1 || fail "swift was not found; install Swift 6.2 or later from https://www.swift.org/install"
version=$(swift --version 2>/dev/null </dev/null | sed -n 's/.*Swift version \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' | head -n 1)
[ -n "$version" ] || fail "swift does not run; 'swift --version' should print its version"
set -- $version
if [ "$1" -lt 6 ] || { [ "$1" -eq 6 ] && [ "$2" -lt 2 ]; }; then
  fail "this is Swift $1.$2; install Swift 6.2 or later from https://www.swift.org/install"
fi

# macOS: the SDK has SQLite. (Not run on macOS yet.)
if [ "$(uname -s)" = Darwin ]; then
  [ -f "$(xcrun --show-sdk-path 2>/dev/null)/usr/include/sqlite3.h" ] && exit 0
  command -v brew >/dev/null 2>&1 || fail "the macOS SDK was not found; run: xcode-select --install"
  brew install sqlite </dev/null || fail "brew install sqlite failed; run: xcode-select --install"
  exit 0
fi

compiler=
for candidate in clang cc gcc; do
  if command -v "$candidate" >/dev/null 2>&1; then
    compiler=$candidate
    break
  fi
done
[ -n "$compiler" ] || fail "no C compiler (clang, cc or gcc) was found; Swift needs one to link"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
printf '#include <sqlite3.h>\nint main(void) { return sqlite3_libversion_number() == 0; }\n' >"$scratch/probe.c"
has_sqlite() {
  "$compiler" "$scratch/probe.c" -lsqlite3 -o "$scratch/probe" >/dev/null 2>&1
}

if has_sqlite; then
  exit 0
fi

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif ! command -v sudo >/dev/null 2>&1; then
    fail "libsqlite3-dev is missing and there is no sudo; run as root: apt-get install libsqlite3-dev"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

if command -v apt-get >/dev/null 2>&1; then
  echo "installing libsqlite3-dev"
  as_root apt-get update -qq </dev/null || fail "apt-get update failed; install libsqlite3-dev by hand"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y libsqlite3-dev </dev/null ||
    fail "apt-get install failed; install libsqlite3-dev by hand"
else
  fail "SQLite's header and library are missing; install them (sqlite-devel, sqlite-dev or libsqlite3-dev)"
fi
has_sqlite || fail "SQLite was installed, but $compiler still cannot use <sqlite3.h> with -lsqlite3"
