#!/usr/bin/env bash
# Prints the path of aiosmtpd, the mail server that tests hand their mails to. It comes from PyPI into a virtual environment of its
# own under the target folder.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly VERSION=1.4.6
VENV=$(realpath -m "${CARGO_TARGET_DIR:-target}/venv-smtp")
readonly VENV

if [[ $("$VENV/bin/aiosmtpd" --version 2>/dev/null) != *"$VERSION"* ]]; then
  deploy/stack/prepare.sh lint >&2
  python3 -m venv --clear "$VENV"
  "$VENV/bin/pip" install --quiet --disable-pip-version-check "aiosmtpd==$VERSION" >&2
fi
echo "$VENV/bin/aiosmtpd"
