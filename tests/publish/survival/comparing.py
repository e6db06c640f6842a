"""Everything that a SQLite file or a publication says, in a form that can be compared."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from greynb.databases.generations import generation_at
from greynb.databases.identifiers import quote
from greynb.databases.mirrored import Contents

_SHOWN = 40
_STATISTICS = "sqlite_stat"
_PRAGMAS = ("user_version", "application_id", "encoding")


def content(path: Path) -> dict[str, Any]:
    """Schema, settings and rows of a file: rows with rowid and storage class, sorted.

    The planner's statistics are left out: a publication makes its own.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        con.execute("BEGIN")
        names = [row[0] for row in con.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        found: dict[str, Any] = {
            "schema": con.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_stat%'"
                " ORDER BY 1, 2"
            ).fetchall(),
            **{name: con.execute(f"PRAGMA {name}").fetchone()[0] for name in _PRAGMAS},
        }
        con.text_factory = lambda raw: ("text", _short(raw))
        found |= {f"table {name}": _rows(con, name) for name in names if not name.startswith(_STATISTICS)}
        return found


def listed(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table of a SQLite file of numbers and texts, sorted."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as con:
        names = con.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return {name: sorted(con.execute(f"SELECT * FROM {quote(name)}")) for (name,) in names.fetchall()}


def mirrored(target: Path) -> dict[str, list[tuple[Any, ...]]]:
    """`listed`, of the mirror that was published with the current version."""
    generation = generation_at(target)
    assert generation is not None
    mirror = generation.mirror()
    assert mirror is not None
    with duckdb.connect() as con:
        con.execute(f"ATTACH '{mirror}' AS m (READ_ONLY)")
        tables = Contents.read(con, "m").tables
        return {
            name: sorted(con.execute(f"SELECT * EXCLUDE ({each.key}) FROM m.main.{quote(name)}").fetchall())
            for name, each in tables.items()
        }


def differences(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs, in words; empty where nothing does."""
    told = []
    for key in sorted(one.keys() | other.keys()):
        if one.get(key) != other.get(key):
            told.append(f"{key}: {_first(one.get(key), other.get(key))}")
    return told


def facts(target: Path) -> dict[str, Any]:
    """What the manifest of the current version says about its content."""
    generation = generation_at(target)
    assert generation is not None
    assert generation.manifest is not None
    manifest = asdict(generation.manifest)
    found = {
        key: {name: each for name, each in (manifest.get(key) or {}).items() if _STATISTICS not in name}
        for key in ("rows", "census", "content")
    }
    objects = [each for each in manifest["schema"] if _STATISTICS not in each["name"]]
    return {**found, "schema": sorted(objects, key=lambda each: (each["type"], each["name"]))}


def _rows(con: sqlite3.Connection, name: str) -> list[str]:
    table = quote(name)
    kind, without_rowid = _as_text(
        con, "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?", name
    )
    columns = [
        each[0][1].decode()
        for each in con.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1", (name,))
    ]
    listed = ", ".join(quote(each) for each in columns)
    if not int(without_rowid) and kind != "virtual" and len(columns) < 2000:
        listed = f"rowid, {listed}"
    return sorted(repr(tuple(map(_key, row))) for row in con.execute(f"SELECT {listed} FROM {table}"))


def _as_text(con: sqlite3.Connection, sql: str, *values: str) -> tuple[str, ...]:
    row = con.execute(sql, values).fetchone()
    return tuple(each[1].decode() if isinstance(each, tuple) else str(each) for each in row)


def _key(value: object) -> object:
    return _short(value) if isinstance(value, bytes) else value


def _short(raw: bytes) -> bytes:
    return raw if len(raw) <= _SHOWN else hashlib.sha256(raw).digest()


def _first(one: Any, other: Any) -> str:
    if isinstance(one, list) and isinstance(other, list):
        only = [[each for each in a if each not in b][:3] for a, b in ((one, other), (other, one))]
        return f"{len(one)} and {len(other)} entries, only in the one {only[0]}, only in the other {only[1]}"
    return f"{str(one)[:300]} / {str(other)[:300]}"
