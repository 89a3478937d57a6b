"""What all notebooks share: how tables are read and shown, and how pictures look."""

from html import escape
from itertools import count
from pathlib import Path

import matplotlib.pyplot as plt
import polars as pl
from IPython import get_ipython
from matplotlib_inline.backend_inline import set_matplotlib_formats

# The palette of Okabe and Ito, with a line and a mark of its own for each, so that colour is never the only difference.
LOOKS = [
    ("#0072b2", "-", "o"),
    ("#e69f00", "--", "s"),
    ("#009e73", "-.", "^"),
    ("#cc79a7", ":", "D"),
    ("#56b4e9", "-", "v"),
    ("#d55e00", "--", "P"),
]
INK, WEAK, GRID = "#1b1f24", "#59636e", "#e3e6ea"
# Behind words that stand on a line of the grid.
PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}

# Twice the pixels for dense screens. The metadata would name the version that drew the picture.
set_matplotlib_formats("retina", metadata={"Software": None})
plt.rcParams.update({
    "figure.dpi": 90,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": WEAK,
    "axes.labelcolor": INK,
    "axes.grid": True,
    "grid.color": GRID,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "legend.frameon": False,
    "text.color": INK,
    "font.size": 10,
})
# Where no HTML is shown: the rows are what a table says, and its columns stand in docs/tables.md.
pl.Config(
    tbl_formatting="UTF8_FULL_CONDENSED",
    tbl_hide_dataframe_shape=True,
    tbl_hide_column_data_types=True,
    tbl_rows=40,
    tbl_cols=12,
    tbl_width_chars=140,
    fmt_str_lengths=80,
    float_precision=3,
)


def html(frame):
    """A table for readers: words without quotes, numbers to the right and with three digits that count."""
    def cell(value):
        if value is None:
            return "<td></td>"
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return f'<td align="right">{value:{".3g" if isinstance(value, float) else ""}}</td>'
        return f'<td align="left">{escape(str(value).lower() if isinstance(value, bool) else str(value))}</td>'

    head = "".join(f"<th>{escape(name)}</th>" for name in frame.columns)
    rows = "\n".join(f"<tr>{''.join(map(cell, row))}</tr>" for row in frame.iter_rows())
    return f"<table>\n<tr>{head}</tr>\n{rows}\n</table>"


get_ipython().display_formatter.formatters["text/html"].for_type(pl.DataFrame, html)


def reader(recording):
    """The function that reads a table which `dorascope analyze -o` wrote for a recording."""
    return lambda table: pl.read_parquet(Path("data") / recording / f"{table}.parquet")


def looks(servers):
    """Colour, line and mark of each server, given by name: pass all servers of a lab, and no two pictures differ."""
    return {server: LOOKS[number % len(LOOKS)] for number, server in zip(count(), sorted(servers))}


def headline(figure, finding, about):
    """The finding as title, and the captures that show it below."""
    height = figure.get_figheight()
    figure.text(0.01, 1 - 0.08 / height, finding, ha="left", va="top", fontsize=12, fontweight="bold")
    figure.text(0.01, 1 - 0.34 / height, about, ha="left", va="top", fontsize=9, color=WEAK)
    figure.get_layout_engine().set(rect=(0, 0, 1, 1 - 0.55 / height))
