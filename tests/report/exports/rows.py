"""Frames for the tests of exports, and the readers of what was written."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd

from greynb.databases.provenance import provenance

ALL = ("csv", "parquet", "json", "md", "html", "xlsx", "tex")
SQL = "SELECT * FROM races WHERE venue = :venue"


def races(sql: str = SQL, role: str = "analytics", file: str = "season.db", **columns: Any) -> pd.DataFrame:
    """A small result that says which query it came from."""
    frame = pd.DataFrame(columns or {"race_id": ["a1", "a2"], "runners": [8, 7]})
    frame.attrs["greynb"] = provenance(
        sql=sql,
        parameters={"venue": "RICH"},
        role=role,
        file=f"/data/secret folder/{file}",
        snapshot="gen-000042",
        rows=len(frame),
        seconds=0.1,
    )
    return frame


def csv_rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def json_records(path: Path) -> list[dict[str, Any]]:
    records: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return records


def record_beside(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(f"{path}.meta.json").read_text(encoding="utf-8"))
    return found


def sheet(path: Path, name: str = "Data") -> Any:
    return openpyxl.load_workbook(path)[name]


def cells(path: Path, name: str = "Data") -> list[tuple[Any, ...]]:
    return list(sheet(path, name).iter_rows(values_only=True))
