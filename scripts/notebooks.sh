#!/usr/bin/env bash
# Runs the notebooks from nothing, in a Python environment of their own under target/, and writes what they say:
# notebooks.sh [--check] [PROGRAM]
#   --check  compares what they say with what is committed, and fails where it differs
#   PROGRAM  the dorascope that they call; without it the one in PATH
set -euo pipefail
cd "$(dirname "$0")/.."

how=--write
if [ "${1:-}" = --check ]; then
    how=--check
    shift
fi
if ! program=$(command -v "${1:-dorascope}"); then
    echo "notebooks.sh: no program ${1:-dorascope}" >&2
    exit 2
fi

place=${CARGO_TARGET_DIR:-target}/notebooks
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# The environment is made once for these packages and this Python; after that no network is needed.
wanted=$(python3 --version && sha256sum <notebooks/requirements.txt)
if [ "$(cat "$place/made-of" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$place"
    python3 -m venv "$place"
    if ! "$place/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
        -r notebooks/requirements.txt 2>"$log"; then
        rm -rf "$place"
        cat "$log" >&2
        # Only the lack of a network excuses: a wrong pin, a missing one or another hash must not pass as skipped.
        if grep -q 'DO NOT MATCH THE HASHES' "$log" ||
            ! grep -qE 'connection broken by|ConnectionPool|HTTP error|timed out' "$log"; then
            exit 1
        fi
        echo "SKIPPED: what the notebooks need cannot be fetched here (see above); they are not run"
        exit 0
    fi
    echo "$wanted" >"$place/made-of"
fi

# The notebooks call the program by its name.
mkdir -p "$place/program"
ln -sfn "$(realpath "$program")" "$place/program/dorascope"
PATH=$(realpath "$place/program"):$PATH "$place/bin/python" scripts/notebooks.py "$how"
