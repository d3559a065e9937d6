#!/usr/bin/env bash
# Runs the tests against a PostgreSQL and a Kafka of their own, which end with them, however they end.
# Tests read: REGUA_TEST_POSTGRES (URL), REGUA_TEST_KAFKA (host:port), REGUA_TEST_STACK (the stack's folder),
# REGUA_TEST_AIOSMTPD (the program of a mail server).
# Arguments go to `cargo test`; without one it is the whole workspace.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
target=${CARGO_TARGET_DIR:-target}

finish() {
  local code=$?
  deploy/stack/down.sh "$stack" || code=1
  if ((code != 0)); then
    mkdir -p "$target/test-stack-logs"
    cp "$stack"/*.log "$target/test-stack-logs/" 2>/dev/null || true
    echo "the servers' logs are in $target/test-stack-logs" >&2
  fi
  rm -rf "$stack"
  exit "$code"
}

[[ $# -gt 0 ]] || set -- --workspace
deploy/stack/prepare.sh build stack count report
REGUA_TEST_AIOSMTPD=$(deploy/smtp-peer.sh)
export REGUA_TEST_AIOSMTPD
# Compiled first: on a small machine the servers would sit in the memory that the linker wants.
cargo test --no-run "$@"

mkdir -p "$target"
stack=$(cd "$target" && mktemp -d "$PWD/test-stack.XXXXXX")
chmod 755 "$stack" # mktemp closes it, and PostgreSQL does not run as root
trap finish EXIT
trap 'exit 130' INT TERM
deploy/stack/up.sh "$stack"
REGUA_TEST_POSTGRES=$(sed -n 's/^url = "\(.*\)"/\1/p' "$stack/regua.toml")
REGUA_TEST_KAFKA=$(sed -n 's/^brokers = "\(.*\)"/\1/p' "$stack/regua.toml")
export REGUA_TEST_POSTGRES REGUA_TEST_KAFKA REGUA_TEST_STACK=$stack
# Crash tests start servers of their own with the same scripts, and from the same jars.
export REGUA_STACK_CACHE=${REGUA_STACK_CACHE:-$root/target/stack}
cargo test "$@"
