#!/usr/bin/env bash
# Sourced by the scripts of this folder: servers are known by process id, kept in DIR/NAME.pid.
# An id alone can be somebody else's after a crash or a reboot, so every question also asks for a
# marker: an argument of the server's command line that holds the absolute DIR, which no stranger has.

# running NAME MARKER: true when DIR/NAME.pid names a live process that was started with MARKER.
running() {
  local file="$DIR/$1.pid" pid
  [[ -s $file ]] || return 1
  pid=$(<"$file")
  local arguments
  for _ in 1 2 3 4 5; do
    [[ -r /proc/$pid/cmdline ]] || return 1
    arguments=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
    [[ -z $arguments ]] || break
    # A zombie has no command line and never gets one, so it counts as ended. A process in the middle of an exec
    # has none for a moment: called ended, it would be started a second time beside itself.
    sleep 0.05
  done
  grep -Fxc -- "$2" >/dev/null <<<"$arguments"
}

# wait_until SECONDS CONDITION...: polls the condition; false when the time is over.
wait_until() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
}

ended() { ! running "$@"; }

# end NAME MARKER SIGNAL SECONDS: asks the server to stop, kills it when it does not.
end() {
  local name=$1 marker=$2 signal=$3 seconds=$4
  if running "$name" "$marker"; then
    kill -s "$signal" "$(<"$DIR/$name.pid")"
    if ! wait_until "$seconds" ended "$name" "$marker"; then
      echo "$name did not stop in $seconds s: killed" >&2
      kill -s KILL "$(<"$DIR/$name.pid")"
      wait_until 10 ended "$name" "$marker"
    fi
  fi
  rm -f "$DIR/$name.pid"
}
