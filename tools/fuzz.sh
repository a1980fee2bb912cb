#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer and runs each for SECONDS (20): fuzz.sh [SECONDS]. Starts
# from the files in the tree; inputs found, and those that crash, are left in build/fuzz.
# shellcheck source-path=SCRIPTDIR source=setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

export CXX=clang++
need "${build_packages[@]}" clang
configure build/fuzz --buildtype=debug -Doptimization=1 "${unity[@]}" -Dfuzz=true \
  -Db_sanitize=address,undefined -Db_lundef=false -Dcpp_args=-fsanitize=fuzzer-no-link

# fuzz TARGET SEEDS...
fuzz() {
  local target=$1
  shift
  build build/fuzz "tests/fuzz/$target"
  mkdir -p "build/fuzz/corpus-$target"
  "build/fuzz/tests/fuzz/$target" -max_total_time="$seconds" -artifact_prefix="build/fuzz/" \
    -print_final_stats=1 "build/fuzz/corpus-$target" "$@"
}

seconds=${1:-20}
fuzz checkpoint_fuzz tests/fuzz/checkpoint
fuzz scenario_fuzz scenarios
fuzz ftrace_fuzz tests/lockdep/data
fuzz log_scan_fuzz tests/fuzz/log_scan
fuzz log_writes_fuzz tests/fuzz/log_writes
fuzz proc_fuzz tests/fuzz/proc
