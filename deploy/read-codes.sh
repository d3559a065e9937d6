#!/usr/bin/env bash
# read-codes.sh IMAGE...: reads QR and bar codes with a reader that is not ours (zxing-cpp); a line `FORMAT TEXT` for each image, `nothing`
# where it sees no code. The reader comes from PyPI into a virtual environment under the target folder. Exits with 77 where it cannot be had.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly VERSION=3.1.1
readonly VENV=${CARGO_TARGET_DIR:-$here/target}/venv-codes

if ! "$VENV/bin/python" -c 'import zxingcpp, PIL' 2>/dev/null; then
  {
    "$here/deploy/stack/prepare.sh" lint
    python3 -m venv --clear "$VENV"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check "zxing-cpp==$VERSION" "pillow>=11"
  } >&2 || exit 77
fi
exec "$VENV/bin/python" - "$@" <<'PY'
import sys
import zxingcpp
from PIL import Image

for path in sys.argv[1:]:
    found = zxingcpp.read_barcodes(Image.open(path).convert("L"))
    print(f"{found[0].format.name} {found[0].text}" if found else "nothing")
PY
