#!/usr/bin/env bash
# buf's rules over proto/. The linter comes from PyPI into a virtual environment under the target folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly VERSION=1.75.0
readonly VENV=${CARGO_TARGET_DIR:-target}/venv

if [[ $("$VENV/bin/buf" --version 2>/dev/null) != "$VERSION" ]]; then
  deploy/stack/prepare.sh lint
  python3 -m venv --clear "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check "buf-bin==$VERSION"
fi
exec "$VENV/bin/buf" lint proto
