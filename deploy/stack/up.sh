#!/usr/bin/env bash
# up.sh DIR [--only postgres|kafka]: starts what does not run yet, waits until it answers, prints the
# addresses and writes DIR/regua.toml. Repeat it at will: a running server is left alone, one that was
# killed recovers its data on the same port.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=ports.sh
source "$here/ports.sh"

usage() { echo "usage: up.sh DIR [--only postgres|kafka]" >&2; exit 2; }

servers=(postgres kafka)
case $# in
  1) ;;
  3) [[ $2 == --only && ( $3 == postgres || $3 == kafka ) ]] || usage; servers=("$3") ;;
  *) usage ;;
esac
mkdir -p "$1"
DIR=$(cd "$1" && pwd -P)
readonly DIR

write_regua_toml() {
  # Moved into place whole: a reader never sees half of it.
  cat >"$DIR/regua.toml.new" <<TOML
# Written by deploy/stack/up.sh: every command takes it with --config.
[storage]
kind = "postgres"
url = "postgres://regua@127.0.0.1:$POSTGRES_PORT/regua"

[bus]
kind = "kafka"
brokers = "127.0.0.1:$KAFKA_PORT"
partitions = 4
TOML
  mv "$DIR/regua.toml.new" "$DIR/regua.toml"
}

start_all() {
  local server
  claim_ports
  export POSTGRES_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT
  for server in "${servers[@]}"; do "$here/$server.sh" start "$DIR" || return 1; done
}

exec 9>"$DIR/.lock"
flock 9
if ! start_all; then
  # Another process can take a port between choice and bind. As long as nobody was told the addresses, choose again.
  [[ ! -e $DIR/regua.toml ]] && grep -qs "Address already in use" "$DIR"/*.log || exit 1
  "$here/down.sh" "$DIR" --locked
  forget_ports
  start_all
fi
write_regua_toml
for server in "${servers[@]}"; do
  port=${server^^}_PORT
  echo "$server 127.0.0.1:${!port} (process $(<"$DIR/$server.pid"))"
done
echo "configuration $DIR/regua.toml"
