#!/usr/bin/env bash
# bench.sh PROGRAM REPORT [ARGUMENTS…]: measures with a PostgreSQL and a Kafka of its own, which end with it,
# however it ends. Their data lies beside the report, on the disk that is measured. REGUA_BENCH_UNDER: a command that the measuring
# runs under, words between spaces; the servers run by then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$1 report=$2
shift 2

mkdir -p "$(dirname "$report")"
stack=$(cd "$(dirname "$report")" && mktemp -d "$PWD/stack.XXXXXX")
chmod 755 "$stack" # mktemp closes it, and PostgreSQL does not run as root
finish() {
  local code=$?
  deploy/stack/down.sh "$stack" || code=1
  rm -rf "$stack"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM
deploy/stack/up.sh "$stack"
# Debian keeps the server's tools off the path.
for tools in /usr/lib/postgresql/*/bin; do PATH=$PATH:$tools; done
read -ra under <<<"${REGUA_BENCH_UNDER:-}"
# What the program cannot know: the broker's version, which no protocol tells, and what it was built from and by.
# shellcheck source=stack/cache.sh
source deploy/stack/cache.sh
broker=$(compgen -G "$JARS/kafka_*.jar" | head -n 1)
versions=(--version-of "kafka=$(basename "${broker##*-}" .jar)" --version-of "rustc=$(rustc --version)")
versions+=(--version-of "commit=$(git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)")
"${under[@]}" "$program" bench --config "$stack/regua.toml" --report "$report" "${versions[@]}" "$@"
