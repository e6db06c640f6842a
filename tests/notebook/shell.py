"""A real IPython shell in this process, over two real SQLite files."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output

RACES = """
CREATE TABLE races (race_id TEXT PRIMARY KEY, venue TEXT, race_date DATE, runners INTEGER);
INSERT INTO races VALUES
    ('a1', 'RICH', '2025-07-01', 8), ('a2', 'RICH', '2025-07-02', 7), ('b1', 'TAR', '2025-07-02', 8),
    ('b2', 'TAR', '2025-07-03', NULL);
CREATE TABLE runs (race_id TEXT, dog TEXT, box INTEGER, extraction_timestamp NUM);
INSERT INTO runs VALUES
    ('a1', 'Cochise Squaw', 1, '2025-07-01T10:00:00'), ('a1', 'Trips And Cars', 2, '2025-07-01T10:00:00'),
    ('b1', 'Wow Party Time', 5, '2025-07-02T11:30:00');
"""


def make_databases(folder: Path) -> dict[str, str]:
    """Make a staging and an analytics file with the same rows, and say where they are."""
    paths = {"STAGING_DB_PATH": folder / "stage.db", "ANALYTICS_DB_PATH": folder / "analytics.db"}
    for path in paths.values():
        con = sqlite3.connect(path)
        con.executescript(RACES)
        con.close()
    return {name: str(path) for name, path in paths.items()}


def run(shell: InteractiveShell, code: str) -> CapturedIO:
    """Run a cell as a user would, and give back what it printed and displayed; its error is raised."""
    with capture_output() as captured:
        result = shell.run_cell(code, store_history=True)
    captured.result = result.result
    result.raise_error()
    return captured


def text(captured: CapturedIO) -> str:
    """Everything that a cell showed, as plain text."""
    return captured.stdout + "\n".join(output.data.get("text/plain", "") for output in captured.outputs)
