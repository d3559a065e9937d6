#!/usr/bin/env bash
# profile.sh PROGRAM NAME…: where the time of each named figure goes, path and reference together: of the whole machine by program and
# thread, then of the program by function. Needs perf (Debian: linux-perf) and the right to look at the whole machine; the servers run
# before anything is recorded. `make profile ONLY=append_sqlite,timers` calls it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
program=$1
shift
command -v perf >/dev/null || { echo "perf is missing: apt-get install linux-perf" >&2; exit 1; }
work=$(mktemp -d)
chmod 755 "$work" # mktemp closes it, and PostgreSQL does not run as root
trap 'rm -rf "$work"' EXIT
shares() { perf report -i "$work/perf.data" --no-children --percent-limit 0.5 -g none "$@" 2>/dev/null | awk '/^ *[0-9]/ && n++ < 16'; }
for name in "$@"; do
  REGUA_BENCH_UNDER="perf record -q -a -F 299 -o $work/perf.data --" \
    deploy/bench.sh "$program" "$work/report.json" --quick --only "$name" >"$work/said" 2>&1 || { cat "$work/said" >&2; exit 1; }
  printf '\n== %s, the machine by program and thread\n' "$name"
  shares --sort comm
  printf -- '-- the program, by function\n'
  shares --sort symbol --comms "$(perf script -i "$work/perf.data" -F comm 2>/dev/null | sort -u | grep -E '^ *(tokio|sqlite|regua|relay|kafka|bare|rdk)' | sed 's/^ *//;s/ *$//' | paste -sd,)"
done
