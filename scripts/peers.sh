#!/usr/bin/env bash
# A Python with DuckDB and Polars under target/, with which the tests run what `dorascope query`
# says in a build without SQL. Without a network that test is skipped, and says so.
set -euo pipefail
cd "$(dirname "$0")/.."

place=${CARGO_TARGET_DIR:-target}/peers
if "$place/bin/python" -c 'import duckdb, polars' 2>/dev/null; then
    exit 0
fi
if ! { python3 -m venv "$place" && "$place/bin/pip" install --quiet --disable-pip-version-check duckdb polars; }; then
    echo "DuckDB and Polars cannot be installed here"
    rm -rf "$place"
fi
