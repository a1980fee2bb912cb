#!/usr/bin/env bash
# Installs what the build needs, builds, and runs crashdep with the arguments given; without any, the
# scenarios of the seed, of devices that lie, of xfstests, of lock orders, those small enough to be
# explored whole, and those of designs that deadlock and of faults that were found.
# Paths are as seen from where it is called.
here=$PWD
# shellcheck source-path=SCRIPTDIR source=setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need "${build_packages[@]}" >&2
configure build/release "${release[@]}" >&2
build build/release tools/crashdep >&2

crashdep=$PWD/build/release/tools/crashdep
if [ $# -eq 0 ]; then exec "$crashdep" run scenarios/{seed,crash,xfstests,lock_order,complete,designs,regressions}; fi
cd "$here"
exec "$crashdep" "$@"
