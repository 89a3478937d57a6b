#!/usr/bin/env python3
"""Are the tables in two directories the same: `same_tables.py LIVE FILES`? LIVE may have them in segments.

A line for each table: its name, rows that only one directory has, rows of FILES, and the first that differ.
Needs DuckDB.
"""

import pathlib
import sys

import duckdb

TABLES = ("messages", "exchanges", "leases", "decisions", "ha_events", "findings", "sources")


def rows(query):
    return duckdb.sql(query).fetchall()


def main(live, files):
    same = True
    for table in TABLES:
        whole = live / f"{table}.parquet"
        parts = [str(part) for part in ([whole] if whole.exists() else (live / table).rglob("*.parquet"))]
        one = f"FROM read_parquet({parts}, hive_partitioning=false, union_by_name=true)"
        other = f"FROM read_parquet('{files}/{table}.parquet')"
        differ = rows(f"{one} EXCEPT ALL {other}") + rows(f"{other} EXCEPT ALL {one}")
        print(table, len(differ), len(rows(other)), differ[:4])
        same = same and not differ
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main(*map(pathlib.Path, sys.argv[1:])))
