"""Small databases and plans for the tests of publications by a plan."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from greynb.publish.etl import EtlReport, Plan, apply, load_plan


def database(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as con:
        con.executescript(script)
    return path


def plan_of(folder: Path, text: str) -> Plan:
    (folder / "greynb.toml").write_text(text, encoding="utf-8")
    plan = load_plan(folder)
    assert plan is not None
    return plan


def applied(path: Path, text: str, **options: Any) -> EtlReport:
    """Apply a plan to a database in the same folder; afterwards it must be a whole file of its own."""
    report = apply(path, plan_of(path.parent, text), **options)
    assert not Path(f"{path}-journal").exists()
    assert query(path, "PRAGMA integrity_check") == [("ok",)]
    assert query(path, "PRAGMA journal_mode") == [("delete",)]
    return report


def query(path: Path, sql: str, *values: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as con:
        return con.execute(sql, values).fetchall()


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as con:
        return list(con.iterdump())
