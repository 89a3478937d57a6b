#!/usr/bin/env bash
# Measures dorascope beside its peers and writes docs/speed.md: `make bench`.
#   ONLY=summary,mixed  single bars     QUICK=1  a tenth of the size, no page
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/setup.sh build bench
target=${CARGO_TARGET_DIR:-target}
cargo build --release --locked
cargo build --release --locked --manifest-path tests/bench/Cargo.toml --target-dir "$target"

options=(--dorascope "$target/release/dorascope")
[ -z "${ONLY:-}" ] || options+=(--only "$ONLY")
[ -z "${QUICK:-}" ] || options+=(--quick)
"$target/release/dorascope-bench" run "${options[@]}"
