# Sourced by run.sh, test.sh and .ci/run: goes to the top of the source and sees to the packages that
# the build needs.
# shellcheck shell=bash

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly build_packages=(
  g++ meson ninja-build pkg-config
  libboost-context-dev libboost-graph-dev libabsl-dev libarchive-dev libext2fs-dev nettle-dev
  nlohmann-json3-dev libcli11-dev
  libgtest-dev libgmock-dev libbenchmark-dev e2fsprogs
)

# Release as everybody measures it; and all files of a folder compiled as one, which takes a third of
# the time.
# shellcheck disable=SC2034 # of use to those who source this
readonly unity=(-Dunity=on -Dunity_size=100)
# shellcheck disable=SC2034
readonly release=(--buildtype=release -Doptimization=2 "${unity[@]}")

# Of the packages named, those that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed ||
      echo "$package"
  done
}

# Installs what is missing of the packages named. Says nothing when nothing is.
need() {
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    need_elsewhere
    return
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [ "${#missing[@]}" -gt 0 ] || return 0
  echo "Installing ${missing[*]}"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "Neither root nor sudo: please install ${missing[*]}" >&2
      exit 2
    fi
    as_root=(sudo)
  fi
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# Not Debian: look for the programs, let meson look for the libraries, and stop when one is not there.
need_elsewhere() {
  local program missing=()
  for program in "${CXX:-g++}" meson ninja pkg-config; do
    command -v "$program" >/dev/null || missing+=("$program")
  done
  if [ "${#missing[@]}" -gt 0 ]; then
    echo "Not a Debian system, and these are missing: ${missing[*]}" >&2
    echo "Debian's names of all that the build needs: ${build_packages[*]}" >&2
    exit 2
  fi
}

# configure DIRECTORY OPTION...: a build directory with these options, if there is none yet.
configure() {
  local directory=$1 log
  shift
  [ ! -f "$directory/build.ninja" ] || return 0
  echo "Setting up $directory"
  log=$(mktemp)
  if ! meson setup "$directory" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 2
  fi
  rm -f "$log"
}

# build DIRECTORY TARGET...: says nothing when nothing is to do; all of it when something fails.
build() {
  local directory=$1
  shift
  if ninja -C "$directory" -n "$@" | grep -q 'no work to do'; then return 0; fi
  echo "Building $directory"
  local log
  log=$(mktemp)
  if ! ninja -C "$directory" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    exit 3
  fi
  rm -f "$log"
}
