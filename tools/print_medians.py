#!/usr/bin/env python3
"""Prints the medians in Google Benchmark's JSON output: of CPU time, and of user counters."""

import json
import sys

# What each benchmark has; anything else is a counter of its own.
COMMON = {
    "name", "family_index", "per_family_instance_index", "run_name", "run_type", "repetitions",
    "repetition_index", "threads", "aggregate_name", "aggregate_unit", "iterations", "real_time",
    "cpu_time", "time_unit", "label", "error_occurred", "error_message",
}


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        benchmarks = json.load(file)["benchmarks"]
    print(f"{'median of 5':<48} {'CPU time':>14}")
    for run in benchmarks:
        if run.get("error_occurred"):
            print(f"{run['run_name']:<48} {run['error_message']}")
        elif run.get("aggregate_name") == "median":
            time = f"{run['cpu_time']:,.1f} {run['time_unit']}"
            counters = [f"{run[key]:,.1f} {key}" for key in sorted(run.keys() - COMMON)]
            print("  ".join([f"{run['run_name']:<48} {time:>14}", *counters]))


if __name__ == "__main__":
    main()
