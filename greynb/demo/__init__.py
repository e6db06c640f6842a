"""A whole season that never was: deterministic data in the collector's tables and file formats."""

from __future__ import annotations

from greynb.demo.form_guides import write_form_guides
from greynb.demo.read_form_guide import FormGuide, read_form_guide
from greynb.demo.run import Demo, build_demo, run_demo
from greynb.demo.season import Season, season
from greynb.demo.write import write_season

__all__ = [
    "Demo",
    "FormGuide",
    "Season",
    "build_demo",
    "read_form_guide",
    "run_demo",
    "season",
    "write_form_guides",
    "write_season",
]
