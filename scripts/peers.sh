#!/usr/bin/env bash
# A Python under target/ with DuckDB and Polars, with which the tests run what `dorascope query`
# says in a build without SQL, and with Prometheus' own client, which reads our metrics. Without
# a network those tests are skipped, and say so.
set -euo pipefail
cd "$(dirname "$0")/.."

place=${CARGO_TARGET_DIR:-target}/peers
if "$place/bin/python" -c 'import duckdb, polars, prometheus_client' 2>/dev/null; then
    exit 0
fi
if ! { python3 -m venv "$place" && "$place/bin/pip" install --quiet --disable-pip-version-check duckdb polars prometheus_client; }; then
    echo "DuckDB, Polars and prometheus_client cannot be installed here"
    rm -rf "$place"
fi
