#!/usr/bin/env bash
# Sourced by up.sh: the ports of a stack, chosen once and kept in DIR/ports.env, so that a server
# that comes back after a crash is found where its clients look for it.

# Below 32768, where the kernel takes the ports of outgoing connections and of "bind to 0".
readonly FIRST_PORT=15000 PORT_COUNT=15000

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# claim_port VARIABLE: sets VARIABLE from DIR/ports.env, or chooses a free port and writes it there.
claim_port() {
  local port
  [[ -z ${!1:-} ]] || return 0
  for _ in {1..100}; do
    port=$((FIRST_PORT + SRANDOM % PORT_COUNT))
    if port_is_free "$port" && ! grep -qs "=$port\$" "$DIR/ports.env"; then
      printf -v "$1" %s "$port"
      echo "$1=$port" >>"$DIR/ports.env"
      return 0
    fi
  done
  echo "no free port on 127.0.0.1 between $FIRST_PORT and $((FIRST_PORT + PORT_COUNT))" >&2
  return 1
}

# claim_ports: all ports of the stack, also those of a server that is not started yet.
claim_ports() {
  unset POSTGRES_PORT KAFKA_PORT KAFKA_CONTROLLER_PORT
  touch "$DIR/ports.env"
  # shellcheck disable=SC1091
  source "$DIR/ports.env"
  claim_port POSTGRES_PORT
  claim_port KAFKA_PORT
  claim_port KAFKA_CONTROLLER_PORT
}

forget_ports() { rm -f "$DIR/ports.env"; }
