#!/usr/bin/env bash
# Everything that can be tested on this machine, and at the end what was skipped: `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT

step() {
    local name=$1 began=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" 2>&1 | tee -a "$log"
    printf '== %s: %d s\n' "$name" $((SECONDS - began))
}

step "set-up" scripts/setup.sh build test lab browser
step "packages of the tests for Python" scripts/peers.sh
step "tests" cargo test --locked --no-fail-fast -- --show-output
step "README shows what the program prints" scripts/readme.py --check "${CARGO_TARGET_DIR:-target}/debug/dorascope"
step "notebooks say what is committed" scripts/notebooks.sh --check "${CARGO_TARGET_DIR:-target}/debug/dorascope"
step "the report in a browser" scripts/browser_test.py "${CARGO_TARGET_DIR:-target}/debug/dorascope" "${CARGO_TARGET_DIR:-target}/tmp/report-10000/index.html"
# Parsed, not compiled to files: the laboratory may be someone else's directory (sudo).
step "syntax of the Python files" python3 -c '
import ast, pathlib
files = [*pathlib.Path("captures/lab").rglob("*.py"), *pathlib.Path("scripts").glob("*.py"), *pathlib.Path("tests").rglob("*.py"), *pathlib.Path("notebooks").glob("*.py")]
for file in files:
    ast.parse(file.read_text(), str(file))
print(len(files), "files")'
step "a fresh recording" scripts/lab_test.sh "${CARGO_TARGET_DIR:-target}/debug/dorascope"
step "a takeover watched live" scripts/live_lab_test.sh "${CARGO_TARGET_DIR:-target}/debug/dorascope"

step "the program as it is used" cargo build --release --locked
step "live at full speed and for long" scripts/live_test.sh "${CARGO_TARGET_DIR:-target}/release/dorascope" "${CARGO_TARGET_DIR:-target}/tmp/live"

# Whatever cannot be tested says SKIPPED: and why; here the lines are where a reader looks.
printf '\n'
if skipped=$(grep -a '^SKIPPED' "$log"); then
    printf 'Passed, except for what was skipped:\n%s\n' "$skipped"
else
    echo "Passed; nothing was skipped."
fi
