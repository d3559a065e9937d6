#!/usr/bin/env bash
# kafka.sh start|stop DIR: one Apache Kafka process on 127.0.0.1, broker and controller in one (KRaft),
# data in DIR/kafka. Topics are made by those who own them: nothing appears by being asked for.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=process.sh
source "$here/process.sh"
# shellcheck source=cache.sh
source "$here/cache.sh"

readonly ACTION=$1 DIR=$2
readonly DATA=$DIR/kafka LOG=$DIR/kafka.log CONFIG=$DIR/kafka.properties

write_config() {
  cat >"$CONFIG" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$KAFKA_CONTROLLER_PORT
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT,CONTROLLER://127.0.0.1:$KAFKA_CONTROLLER_PORT
advertised.listeners=PLAINTEXT://127.0.0.1:$KAFKA_PORT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$DATA
auto.create.topics.enable=false

# There is one broker: everything has one copy, and the broker's own topics one partition.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=1

# A broker that was killed is let in again only when its last session is over: 9 s by default.
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500

# Consumers of a test join at once, and nothing is thrown away while a test looks at it.
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
# The cleaner would take 128 MB of the heap.
log.cleaner.dedupe.buffer.size=8388608
PROPERTIES
}

format_storage() {
  [[ ! -e $DIR/kafka.created ]] || return 0
  rm -rf "$DATA"
  local id
  id=$(tr -d - </proc/sys/kernel/random/uuid | cut -c 1-22)
  java -Xmx128m -XX:TieredStopAtLevel=1 -cp "$JARS/*" "-Dlog4j2.configurationFile=$here/log4j2.properties" \
    kafka.tools.StorageTool format --cluster-id "$id" --config "$CONFIG" >>"$LOG" 2>&1
  touch "$DIR/kafka.created"
}

# ready OFFSET: the broker said so in what was logged since this start.
ready() { tail -c "+$(($1 + 1))" "$LOG" | grep -F "Kafka Server started" >/dev/null; }
ready_or_ended() { ready "$1" || ended kafka "$CONFIG"; }
started() { running kafka "$CONFIG" || [[ ! -e /proc/$1 ]]; }

launch() {
  touch "$LOG"
  local offset
  offset=$(stat -c %s "$LOG")
  (
    cd /
    # Descriptor 9 is the lock of up.sh: a server that inherits it would hold it for ever.
    exec setsid java -Xms256m -Xmx512m -XX:+UseSerialGC -Djava.net.preferIPv4Stack=true -Djava.awt.headless=true \
      "-Dlog4j2.configurationFile=$here/log4j2.properties" -cp "$JARS/*" kafka.Kafka "$CONFIG" \
      </dev/null >>"$LOG" 2>&1 9>&-
  ) &
  echo $! >"$DIR/kafka.pid"
  wait_until 60 started $! || true
  wait_until 120 ready_or_ended "$offset" && ready "$offset"
}

start() {
  : "${KAFKA_PORT:?}" "${KAFKA_CONTROLLER_PORT:?}"
  running kafka "$CONFIG" && return 0
  ls "$JARS"/kafka_*.jar >/dev/null 2>&1 || { echo "the broker's jars are missing: run deploy/stack/prepare.sh" >&2; exit 1; }
  write_config
  format_storage || { tail -n 20 "$LOG" >&2; return 1; }
  launch || {
    echo "Kafka did not start; the end of $LOG:" >&2
    tail -n 20 "$LOG" >&2
    return 1
  }
}

case $ACTION in
  start) start ;;
  stop) end kafka "$CONFIG" TERM 30 ;;
  *) echo "usage: kafka.sh start|stop DIR" >&2; exit 2 ;;
esac
