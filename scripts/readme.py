#!/usr/bin/env python3
"""Rewrite the program output in README.md: `readme.py [--check] PROGRAM`.

A fenced block of kind `console` that begins with `$ dorascope …` shows what that command prints, as
PROGRAM prints it into a pipe. A block that ends with `[…]` shows only what comes before the first
pair of empty lines. Exit code 1 is a check that found something, and shown like 0. With --check
nothing is written, and a difference is an error.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
README = REPOSITORY / "README.md"

BLOCK = re.compile(r"^```console\n(?P<command>\$ dorascope (?:.*\\\n)*.*\n)(?P<output>(?:(?!```).*\n)*)```$", re.MULTILINE)
CUT = "[…]\n"


def main(arguments):
    check = arguments[:1] == ["--check"]
    program = Path(arguments[-1]).resolve()
    old = README.read_text()
    with tempfile.TemporaryDirectory() as folder:
        # The commands name the program as a reader would.
        Path(folder, "dorascope").symlink_to(program)
        new, count = BLOCK.subn(lambda block: rewritten(block, folder), old)
    if count == 0:
        raise SystemExit("README.md shows no command")
    if old == new:
        print(f"README.md: {count} commands print what it shows")
    elif check:
        sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), "README.md", "the program"))
        raise SystemExit("README.md shows something else than the program prints; run `make readme`")
    else:
        README.write_text(new)
        print(f"README.md: rewritten, {count} commands")


def rewritten(block, folder):
    command = block["command"].removeprefix("$ ")
    environment = {"PATH": f"{folder}:{os.environ['PATH']}", "NO_COLOR": "1", "LC_ALL": "C.UTF-8"}
    run = subprocess.run(["bash", "-c", command], cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    if run.returncode not in (0, 1):
        raise SystemExit(f"{command}exit code {run.returncode}\n{run.stderr}")
    output = run.stdout
    if block["output"].endswith(CUT):
        output = output.split("\n\n\n")[0].rstrip("\n") + "\n\n" + CUT
    return f"```console\n{block['command']}\n{output.strip(chr(10))}\n```"


if __name__ == "__main__":
    main(sys.argv[1:])
