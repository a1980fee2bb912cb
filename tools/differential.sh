#!/usr/bin/env bash
# Writes N (2000) crash states of random scenarios as ext4 images and lets e2fsck, libext2fs and,
# where root may mount loop devices, the running kernel say whether each is what we predict:
# differential.sh [N [SEED]]. Images that are disagreed upon are left in build/differential. Then the
# logs of N/10 random executions are judged by the checker of recordings and by that of the model.
# shellcheck source-path=SCRIPTDIR source=setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need "${build_packages[@]}"
configure build/release "${release[@]}"
build build/release tests/differential/differential
mkdir -p build/differential
build/release/tests/differential/differential build/differential "${1:-2000}" "${2:-1}"
