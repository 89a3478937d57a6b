#!/usr/bin/env bash
# Runs the notebooks from nothing in an environment of their own under target/:
# notebooks.sh --check PROGRAM compares the results with the committed ones, --write PROGRAM replaces them.
set -euo pipefail
cd "$(dirname "$0")/.."

how=$1
program=$(realpath "$2")
place=${CARGO_TARGET_DIR:-target}/notebooks
wanted=$(sha256sum <notebooks/requirements.txt)

if [ "$(cat "$place/made-of" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    if ! "$place/bin/pip" install --quiet --disable-pip-version-check -r notebooks/requirements.txt; then
        rm -rf "$place"
        echo "SKIPPED: what the notebooks need cannot be installed here; they are not run"
        exit 0
    fi
    echo "$wanted" >"$place/made-of"
fi

# The notebooks call the program by its name.
mkdir -p "$place/program"
ln -sfn "$program" "$place/program/dorascope"
PATH=$(realpath "$place/program"):$PATH exec "$place/bin/python" scripts/notebooks.py "$how"
