#!/usr/bin/env python3
"""Run every notebook and keep or compare what comes out: `notebooks.py --check` or `--write`, called by notebooks.sh.

Pictures differ by the processor that drew them, so that only their number is compared; every text must be the same.
"""

import difflib
import getpass
import os
import shutil
import socket
import sys
import tempfile
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "notebooks"
PICTURE = "(a picture)\n"
# Begins a line that is a warning: none of them is for a reader.
STANDARD_ERROR = "standard error: "
# Of one output the same thing in several forms; the first one that it has is what a reader sees.
TEXTS = ["text/html", "text/markdown", "text/plain"]
HOW = {
    "kernel_name": "python3",
    "timeout": 300,
    "resources": {"metadata": {"path": str(FOLDER)}},
    # The kernel listens on loopback, with a key, and would say each time that this is not encrypted.
    # A traceback is read in a log, which has no colours.
    "extra_arguments": ["--log-level=ERROR", "--InteractiveShell.colors=nocolor"],
    # A kernel sends what is printed in pieces, and where it cuts is a matter of time.
    "coalesce_streams": True,
}


def main(arguments):
    write = {"--write": True, "--check": False}[arguments[0]]
    with tempfile.TemporaryDirectory() as settings:
        apart(Path(settings))
        run(write)


def run(write):
    """Every notebook in turn."""
    wrong = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        committed = nbformat.read(path, as_version=4)
        notebook = nbformat.read(path, as_version=4)
        try:
            NotebookClient(notebook, **HOW).execute()
        except CellExecutionError as error:
            raise SystemExit(f"{path.name} does not run:\n{error}") from None
        tidy(notebook)
        lines = words(notebook)
        if warnings := [line for line in lines if line.startswith(STANDARD_ERROR)]:
            raise SystemExit(f"{path.name} writes to standard error:\n{''.join(warnings)}")
        pictures = lines.count(PICTURE)
        if write:
            impersonal(path.name, lines)
            small(notebook)
            nbformat.write(notebook, path)
            print(f"{path.name}: written, {pictures} pictures")
        elif lines == words(committed):
            print(f"{path.name}: says what is committed, {pictures} pictures")
        else:
            wrong += 1
            names = f"{path.name} as committed", f"{path.name} as it runs"
            sys.stdout.writelines(difflib.unified_diff(words(committed), lines, *names))
    if wrong:
        raise SystemExit(f"{wrong} notebooks say something else than committed; run `make notebooks` and look at them")


def apart(settings):
    """Keeps out what an earlier run left, the user's own settings, and the terminal's."""
    shutil.rmtree(FOLDER / "data", ignore_errors=True)
    for variable in ["IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"]:
        os.environ[variable] = str(settings / variable.lower())
    for variable in ["PYTHONPATH", "MATPLOTLIBRC", "JUPYTER_PATH", "CLICOLOR_FORCE"]:
        os.environ.pop(variable, None)
    os.environ.update(NO_COLOR="1", LC_ALL="C.UTF-8", TZ="UTC", COLUMNS="100")


def tidy(notebook):
    """Leaves out what differs from run to run and from one Python to the next."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def small(notebook):
    """Draws every picture with a palette, which a chart needs no more than: a third of the size, in each version of it."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if png := output.get("data", {}).get("image/png"):
                picture = Image.open(BytesIO(b64decode(png))).convert("RGB").quantize(128, dither=Image.Dither.NONE)
                less = BytesIO()
                picture.save(less, "png", optimize=True)
                output.data["image/png"] = b64encode(less.getvalue()).decode()


def words(notebook):
    """Every line that a notebook shows, source and output."""
    lines = []
    for cell in notebook.cells:
        lines += [f"{line}\n" for line in cell.source.splitlines()]
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                lines.append(PICTURE)
                continue
            text = output.get("text") or next((data[kind] for kind in TEXTS if kind in data), "")
            mark = STANDARD_ERROR if output.get("name") == "stderr" else ""
            lines += [f"{mark}{line}\n" for line in text.splitlines()]
    return lines


def impersonal(name, lines):
    """Stops before a notebook is written that tells of the machine that ran it."""
    private = {str(ROOT), str(Path.home()), sys.prefix, f"/{getpass.getuser()}/", socket.gethostname()}
    for line in lines:
        if found := [word for word in sorted(private) if len(word) > 3 and word in line]:
            raise SystemExit(f"{name} shows {', '.join(found)}: {line}")


if __name__ == "__main__":
    main(sys.argv[1:])
