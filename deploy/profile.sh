#!/usr/bin/env bash
# profile.sh PROGRAM NAME…: where the time of each named figure goes, path and reference together: by thread, then by function. Needs
# perf (Debian: linux-perf) and servers of its own for what runs on them; `make profile ONLY=append_sqlite,timers` calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$1
shift
command -v perf >/dev/null || { echo "perf is missing: apt-get install linux-perf" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
shares() { perf report -i "$work/perf.data" --no-children --percent-limit 1 -g none "$@" 2>/dev/null | awk '/^ *[0-9]/ && n++ < 12'; }
for name in "$@"; do
  perf record -q -F 299 -o "$work/perf.data" -- deploy/bench.sh "$program" "$work/report.json" --quick --only "$name" >/dev/null 2>&1
  printf '\n== %s, by thread\n' "$name"
  shares --sort comm
  printf -- '-- the program, by function\n'
  shares --sort symbol --comms "$(perf script -i "$work/perf.data" -F comm 2>/dev/null | sort -u | grep -E '^ *(tokio|sqlite|regua|relay|kafka|bare)' | sed 's/^ *//;s/ *$//' | paste -sd,)"
done
