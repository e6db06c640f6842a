"""The look of the charts: quiet, printable, and following the page into its dark colours."""

from __future__ import annotations

# Colours of the charts, and the page's own variable for each. Unusual values on purpose: the page
# finds them in the SVG by their text.
INK, FAINT, GRID = "#1d2530", "#5d6776", "#dce1e7"
MODEL, MARKET, UNIFORM = "#1c6e8c", "#c8772d", "#8b929c"
PAGE_VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    GRID: "var(--rule)",
    MODEL: "var(--model)",
    MARKET: "var(--market)",
    UNIFORM: "var(--uniform)",
}


def chart_style() -> dict[str, object]:
    """Give matplotlib's settings for the charts: ``plt.rcParams.update(chart_style())``."""
    return {
        "figure.figsize": (8.4, 3.4),
        "figure.facecolor": "none",
        "figure.constrained_layout.use": True,
        "axes.facecolor": "none",
        "savefig.facecolor": "none",
        "svg.fonttype": "none",
        "svg.hashsalt": "greynb",
        "font.family": "sans-serif",
        "font.size": 10.5,
        "text.color": INK,
        "axes.labelcolor": FAINT,
        "axes.edgecolor": GRID,
        "axes.titlecolor": INK,
        "axes.titlesize": 11.5,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 10.0,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "legend.frameon": False,
    }
