#!/usr/bin/env python3
"""Run every notebook and keep or compare what comes out: `notebooks.py --check` or `--write`, called by notebooks.sh.

Pictures differ by the fonts of a machine, so that of them only the number is compared; every text must be the same.
"""

import difflib
import os
import shutil
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"


def main(arguments):
    write = {"--write": True, "--check": False}[arguments[0]]
    # Nothing of an earlier run, of the user's settings or of the terminal may show.
    shutil.rmtree(FOLDER / "data", ignore_errors=True)
    os.environ.update(NO_COLOR="1", LC_ALL="C.UTF-8", PYTHONWARNINGS="error::DeprecationWarning:__main__", COLUMNS="100")
    wrong = 0
    for path in sorted(FOLDER.glob("*.ipynb")):
        committed = nbformat.read(path, as_version=4)
        notebook = nbformat.read(path, as_version=4)
        resources = {"metadata": {"path": str(FOLDER)}}
        NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()
        tidy(notebook)
        pictures = words(notebook).count(PICTURE)
        if write:
            nbformat.write(notebook, path)
            print(f"{path.name}: written, {pictures} pictures")
        elif words(notebook) == words(committed):
            print(f"{path.name}: says what is committed, {pictures} pictures")
        else:
            wrong += 1
            sys.stdout.writelines(difflib.unified_diff(words(committed), words(notebook), f"{path.name} as committed", "as it runs"))
    if wrong:
        raise SystemExit("notebooks say something else than committed; run `make notebooks` and look at them")


PICTURE = "(a picture)\n"


def tidy(notebook):
    """Leaves out what differs from run to run."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata.language_info = {"name": "python"}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)


def words(notebook):
    """Every line that a notebook shows, source and output."""
    lines = []
    for cell in notebook.cells:
        lines += [f"{line}\n" for line in cell.source.splitlines()]
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise SystemExit("\n".join(output.traceback))
            data = output.get("data", {})
            text = output.get("text") or ("" if "image/png" in data else data.get("text/plain", ""))
            lines += [f"{line}\n" for line in text.splitlines()]
            lines += [PICTURE] if "image/png" in data else []
    return lines


if __name__ == "__main__":
    main(sys.argv[1:])
