"""The look of the charts, where notebooks find it; see `greynb.evaluation.chartstyle`."""

from __future__ import annotations

from greynb.evaluation.chartstyle import (
    FAINT,
    GRID,
    INK,
    MARKET,
    MODEL,
    PAGE_VARIABLES,
    UNIFORM,
    chart_style,
)

__all__ = ["FAINT", "GRID", "INK", "MARKET", "MODEL", "PAGE_VARIABLES", "UNIFORM", "chart_style"]
