#!/usr/bin/env bash
# postgres.sh start|stop DIR: one PostgreSQL server on 127.0.0.1, data in DIR/postgres, fsync on.
# The role `regua` may create databases (each test makes its own) and is no superuser; the superuser
# can not log in at all, so that a trusting server on loopback opens nothing to other local users.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=process.sh
source "$here/process.sh"

readonly ACTION=$1 DIR=$2
readonly DATA=$DIR/postgres LOG=$DIR/postgres.log

find_binaries() {
  local newest
  newest=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  [[ -n $newest ]] || newest=$(command -v initdb || true)
  [[ -n $newest ]] || { echo "PostgreSQL is not installed: run deploy/stack/prepare.sh" >&2; exit 1; }
  BIN=$(dirname "$(readlink -f "$newest")")
}

# PostgreSQL refuses to run as root, so root becomes `postgres`. AS holds the command in front.
choose_user() {
  AS=()
  ((EUID == 0)) || return 0
  getent passwd postgres >/dev/null || { echo "there is no user 'postgres' to run PostgreSQL as" >&2; exit 1; }
  AS=(setpriv --reuid=postgres --regid=postgres --clear-groups)
  "${AS[@]}" test -d "$DIR/." && return 0
  # (stat asks with the rights in effect; access, and so test -x, would ask without them.)
  # A folder above is closed to others (a home, a mktemp -d). Opening it is not ours to do: the server
  # gets the right to pass closed folders instead, or, where containers forbid that, the wider one.
  local right
  for right in dac_read_search dac_override; do
    AS=(setpriv --reuid=postgres --regid=postgres --clear-groups "--inh-caps=+$right" "--ambient-caps=+$right")
    "${AS[@]}" test -d "$DIR/." 2>/dev/null && return 0
  done
  echo "the user 'postgres' can not reach $DIR: choose a DIR below folders that others may enter (chmod o+x)" >&2
  exit 1
}

create_cluster() {
  [[ ! -e $DIR/postgres.created ]] || return 0
  rm -rf "$DATA"
  mkdir -m 0700 "$DATA"
  ((EUID != 0)) || chown postgres:postgres "$DATA"
  # The C locale sorts by byte, as SQLite does: both databases list in one order.
  (cd / && "${AS[@]}" "$BIN/initdb" -D "$DATA" --encoding=UTF8 --locale=C --auth=reject --no-instructions) >>"$LOG" 2>&1
  echo "host all regua 127.0.0.1/32 trust" | write_as_owner "$DATA/pg_hba.conf"
  # Single-user mode reads one statement per line.
  printf '%s\n' "CREATE ROLE regua LOGIN CREATEDB" "CREATE DATABASE regua OWNER regua" |
    (cd / && "${AS[@]}" "$BIN/postgres" --single -D "$DATA" postgres) >>"$LOG" 2>&1
  touch "$DIR/postgres.created"
}

write_as_owner() { (cd / && "${AS[@]}" tee "$1" >/dev/null); }

# The server says in its own lock file when it accepts connections: line 1 its id, line 8 its state.
ready() {
  local lines=()
  mapfile -t lines 2>/dev/null <"$DATA/postmaster.pid" || return 1
  [[ ${lines[0]:-} == "$(<"$DIR/postgres.pid")" && ${lines[7]:-} == ready* ]]
}

ready_or_ended() { ready || ended postgres "$DATA"; }

launch() {
  (
    cd /
    # Descriptor 9 is the lock of up.sh: a server that inherits it would hold it for ever.
    exec setsid "${AS[@]}" "$BIN/postgres" -D "$DATA" -h 127.0.0.1 -p "$POSTGRES_PORT" \
      -c unix_socket_directories= -c max_connections=300 -c fsync=on -c timezone=UTC -c log_timezone=UTC \
      </dev/null >>"$LOG" 2>&1 9>&-
  ) &
  echo $! >"$DIR/postgres.pid"
  # The marker appears with the exec; until then `running` would call the server ended.
  wait_until 60 started $! || true
  wait_until 60 ready_or_ended && ready
}

started() { running postgres "$DATA" || [[ ! -e /proc/$1 ]]; }

start() {
  : "${POSTGRES_PORT:?}"
  running postgres "$DATA" && ready && return 0
  find_binaries
  choose_user
  create_cluster
  # After SIGKILL of the postmaster alone its children need a moment to see it; a start before that
  # is refused because of the shared memory they hold.
  local deadline=$((SECONDS + 60))
  until launch; do
    if ((SECONDS >= deadline)) || ! tail -n 3 "$LOG" | grep -E "shared memory block|lock file" >/dev/null; then
      echo "PostgreSQL did not start; the end of $LOG:" >&2
      tail -n 10 "$LOG" >&2
      return 1
    fi
    sleep 0.2
  done
}

case $ACTION in
  start) start ;;
  stop) end postgres "$DATA" INT 30 ;; # INT is PostgreSQL's fast shutdown: it does not wait for clients.
  *) echo "usage: postgres.sh start|stop DIR" >&2; exit 2 ;;
esac
