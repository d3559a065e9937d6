#!/usr/bin/env bash
# vectors.sh [DIR]: checks every row of the vector files in DIR, or in the project's own copy.
# Prints the rows that each file holds and how many of them were checked; fails unless all were and all agree.
set -euo pipefail
if [[ -n ${1:-} ]]; then
  REGUA_VECTORS=$(cd "$1" && pwd)
  export REGUA_VECTORS
fi
cd "$(dirname "${BASH_SOURCE[0]}")/.."
cargo test --quiet -p brazil --test vectors
