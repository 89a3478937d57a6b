"""What the pictures of all notebooks share: one colour and one line per server, a title that states the finding."""

import matplotlib.pyplot as plt

# The palette of Okabe and Ito, and a line of its own for each, so that colour is never the only difference.
LOOKS = [("#0072b2", "-"), ("#e69f00", "--"), ("#009e73", "-."), ("#cc79a7", ":"), ("#56b4e9", "-"), ("#d55e00", "--")]
WEAK = "#59636e"

plt.rcParams.update({
    "figure.dpi": 110,
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e6ea",
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "font.size": 10,
})


def looks(servers):
    """Colour and line of each server: by name, so that they are the same in every picture."""
    return {server: LOOKS[number % len(LOOKS)] for number, server in enumerate(sorted(servers))}


def say(figure, finding, about):
    """The finding as title, the captures below it."""
    figure.suptitle(f"{finding}\n", x=0.01, ha="left", fontsize=12, fontweight="bold")
    figure.text(0.012, 0.915, about, fontsize=9, color=WEAK)
