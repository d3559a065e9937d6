#!/usr/bin/env bash
# prepare.sh [build|stack|lint|count|report]...: checks for what is needed and installs what is missing, through apt-get
# and mvn only. Without an argument: build and stack.
#   build  what the Rust build links with
#   stack  PostgreSQL, Java 17 or newer, and the broker's jars in the cache
#   lint   Python with venv, for the protobuf linter
#   count  valgrind, for the test that counts instructions
#   report Python, for the script that reads a bench's report
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=cache.sh
source "$here/cache.sh"

has_command() { command -v "$1" >/dev/null; }
has_library() { has_command pkg-config && pkg-config --exists "$1"; }
has_postgres() { has_command initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; }
has_venv() { has_command python3 && python3 -c 'import venv, ensurepip' 2>/dev/null; }

# A check of our own in front of each package: what is there already, from wherever, is good.
missing_for() {
  case $1 in
    build)
      has_command gcc || has_command cc || echo gcc libc6-dev
      has_command g++ || has_command c++ || echo g++
      has_command make || echo make
      has_command perl || echo perl
      has_command pkg-config || echo pkg-config
      has_library openssl || echo libssl-dev
      has_library zlib || echo zlib1g-dev
      ;;
    stack)
      has_postgres || echo postgresql
      has_command java || echo default-jre-headless
      # Maven is needed once, to fill the cache.
      have_jars || has_command mvn || echo maven
      ;;
    lint) has_venv || echo python3 python3-venv ;;
    count) has_command valgrind || echo valgrind ;;
    report) has_command python3 || echo python3 ;;
    *) echo "usage: prepare.sh [build|stack|lint|count|report]..." >&2; return 2 ;;
  esac
}

install_packages() {
  local as_root=()
  if ! has_command apt-get; then
    echo "This is not Debian; install what these packages hold: $*" >&2
    return 1
  fi
  if ((EUID != 0)); then
    if ! has_command sudo; then
      echo "Missing Debian packages, and no sudo to install them with. As root, run:" >&2
      echo "  apt-get update && apt-get install -y --no-install-recommends $*" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "installing: $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"
}

check_java() {
  local major
  major=$(java -XshowSettings:properties -version 2>&1 | sed -n 's/^ *java.specification.version = //p')
  [[ ${major%%.*} -ge 17 ]] || { echo "Java 17 or newer is needed, 'java' is version ${major:-unknown}" >&2; return 1; }
}

# The stamp is a copy of the list the jars were fetched for: a changed pom.xml fetches again.
have_jars() { cmp -s "$here/pom.xml" "$CACHE/pom.xml"; }

fetch_jars() {
  mkdir -p "$CACHE"
  # Two runs in one clone: the second waits and finds the jars.
  exec 8>"$CACHE/.lock"
  flock 8
  if ! have_jars; then
    echo "fetching the jars of Apache Kafka (54 MB)"
    rm -rf "$JARS"
    mvn -q -B -Dstyle.color=never -f "$here/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$JARS" -DincludeScope=runtime
    cp "$here/pom.xml" "$CACHE/pom.xml"
  fi
  exec 8>&-
}

wanted=("$@")
[[ $# -gt 0 ]] || wanted=(build stack)
missing=()
for part in "${wanted[@]}"; do
  list=$(missing_for "$part")
  # shellcheck disable=SC2206 # one package a word
  missing+=($list)
done
[[ ${#missing[@]} -eq 0 ]] || install_packages "${missing[@]}"
if [[ " ${wanted[*]} " == *" stack "* ]]; then
  check_java
  fetch_jars
fi
