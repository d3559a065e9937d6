#!/usr/bin/env bash
# Formatting and clippy. A toolchain without them (rustup's minimal profile, a distribution's packages)
# still runs the tests: the check says that it was left out, and fetches nothing on its own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if cargo fmt --version >/dev/null 2>&1; then
  cargo fmt --all --check
else
  echo "left out: cargo fmt is not installed (rustup component add rustfmt)" >&2
fi
if cargo clippy --version >/dev/null 2>&1; then
  cargo clippy --workspace --all-targets -- -D warnings
else
  echo "left out: cargo clippy is not installed (rustup component add clippy)" >&2
fi
