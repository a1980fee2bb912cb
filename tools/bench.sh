#!/usr/bin/env bash
# Builds the benchmarks in release mode into build/release and prints medians of five runs, of the
# processor's time and of whatever else a benchmark counts. Arguments go to the benchmark, e.g.
# --benchmark_filter=hold. Compare ratios within one run only: absolute times depend on the machine
# and on what else it does.
# shellcheck source-path=SCRIPTDIR source=setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need "${build_packages[@]}" python3 >&2
configure build/release "${release[@]}" >&2
build build/release tests/bench/crashdep_bench >&2

results=$(mktemp)
trap 'rm -f "$results"' EXIT
build/release/tests/bench/crashdep_bench --benchmark_repetitions=5 \
  --benchmark_report_aggregates_only=true --benchmark_format=json "$@" > "$results"
tools/print_medians.py "$results"
