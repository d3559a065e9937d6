#!/usr/bin/env bash
# Sourced: where the broker's jars are kept between runs. Set REGUA_STACK_CACHE to share one among clones.
# shellcheck disable=SC2034
CACHE=${REGUA_STACK_CACHE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)/target/stack}
JARS=$CACHE/jars
