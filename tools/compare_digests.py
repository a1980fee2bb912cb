#!/usr/bin/env python3
"""Says whether results of `crashdep run --json` agree: compare_digests.py FILE FILE..."""

import json
import sys


def outcomes(path):
    with open(path, encoding="utf-8") as file:
        return {s["path"]: (s["verdict"], s["digest"]) for s in json.load(file)["scenarios"]}


def main(paths):
    first = outcomes(paths[0])
    differences = 0
    for path in paths[1:]:
        other = outcomes(path)
        for scenario in sorted(first.keys() | other.keys()):
            if first.get(scenario) != other.get(scenario):
                differences += 1
                print(f"{scenario}: {first.get(scenario)} in {paths[0]}, "
                      f"{other.get(scenario)} in {path}")
    print(f"{len(first)} scenarios, {len(paths)} builds, {differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
