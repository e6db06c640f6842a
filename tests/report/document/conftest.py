"""Frames that came from real cells over real files, and a report with everything in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from greynb import Report
from greynb.report import chart_style
from greynb.report.charts import MODEL
from greynb.report.document.document import Document
from tests.notebook.conftest import shell as shell
from tests.notebook.shell import run

VENUES = """
SELECT venue, count(*) AS races, avg(runners) AS runners, max(race_date) AS latest
FROM races WHERE race_date >= :since GROUP BY venue ORDER BY venue
"""
MADE = dt.datetime(2026, 11, 26, 14, 2, tzinfo=dt.UTC)


@pytest.fixture
def venues(shell: InteractiveShell) -> pd.DataFrame:
    """A small result with a parameter."""
    shell.user_ns["since"] = dt.date(2025, 7, 1)
    run(shell, f"%%analytics venues\n{VENUES}")
    return shell.user_ns["venues"]


@pytest.fixture
def numbers(shell: InteractiveShell) -> pd.DataFrame:
    """A long result."""
    run(
        shell,
        "%%analytics numbers\nSELECT i AS place, i * 0.5 AS half, 'dog ' || i AS name FROM range(1000) t(i)",
    )
    return shell.user_ns["numbers"]


@pytest.fixture
def figure() -> Iterator[plt.Figure]:
    """A chart in greynb's style."""
    with plt.rc_context(chart_style()):
        made, axes = plt.subplots()
        axes.plot([1, 2, 3], [0.28, 0.31, 0.30], color=MODEL, label="model")
        axes.set_title("Winners picked")
        axes.set_xlabel("month")
        axes.legend()
        yield made
    plt.close(made)


@pytest.fixture
def report(venues: pd.DataFrame, numbers: pd.DataFrame, figure: plt.Figure) -> Report:
    """One block of each kind, and two queries."""
    return (
        Report("Dogs & odds <July>", "month 2025-07")
        .tiles([("Races", "1,204", "of 1,300"), ("Return", "-7.2%")], source=venues)
        .note("The model picked -2 points fewer winners.")
        .text("Some *emphasis*, `code`.\n\n- one\n- two\n\n### A part\n\nMore.")
        .heading("Venues")
        .table(
            venues,
            "All venues",
            formats={"runners": "{:.1f}"},
            labels={"latest": "latest race"},
            units={"runners": "dogs"},
            scale={"races": "sequential"},
            spanners={"Counts": ["races", "runners"]},
        )
        .table(numbers, "Numbers", rows=50)
        .heading("Chart")
        .chart(figure, alt="Winners picked by month, between 28 and 31 %", caption="By month", source=numbers)
        .code("print(1)", "python")
    )


@pytest.fixture
def document(report: Report) -> Document:
    """The same as a document made at a known time."""
    made = report.document
    return Document(made.title, made.blocks, made.subtitle, "report.ipynb", MADE)
