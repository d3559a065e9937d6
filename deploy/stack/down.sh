#!/usr/bin/env bash
# down.sh DIR: ends the servers of the stack in DIR by process id and keeps their data.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
[[ $# -eq 1 || ( $# -eq 2 && $2 == --locked ) ]] || { echo "usage: down.sh DIR" >&2; exit 2; }
[[ -d $1 ]] || exit 0
DIR=$(cd "$1" && pwd -P)
# --locked: up.sh already holds the lock.
[[ $# -eq 2 ]] || { exec 9>"$DIR/.lock"; flock 9; }
"$here/kafka.sh" stop "$DIR"
"$here/postgres.sh" stop "$DIR"
