"""What a publication writes into the lake beside the rows: ``greynb.contents``, one row of JSON per version.

As it is a table like others, each version has its own, and two publishers at once both replace its row, so
that DuckLake refuses the second.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import duckdb

from greynb.databases.identifiers import literal
from greynb.databases.mirrored import Contents, MirrorTable
from greynb.databases.relations import stop_if_interrupted
from greynb.lake.attaching import ALIAS

_FORMAT: Final = 1
_SCHEMA: Final = f"{ALIAS}.greynb"


@dataclass(frozen=True, slots=True)
class LakeContents:
    """What a version of a lake holds.

    Attributes
    ----------
    tables
        By the name in staging.
    sums
        Of each table's rows, by its name in the lake: see `greynb.lake.rowsums`.
    keys
        Declared primary keys that tell rows apart in the lake, too, by a table's name in the lake: see
        `greynb.lake.keys`.
    base
        Name, path and sha256 of the publisher's own copy that the version was made from.
    """

    tables: Mapping[str, MirrorTable]
    sums: Mapping[str, str] = field(default_factory=dict)
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    base: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, str]:
        """The name of each relation in the lake."""
        return Contents(self.tables).shown

    def write(self, con: duckdb.DuckDBPyConnection) -> None:
        """Put this into the lake, in place of what it says."""
        tables = {name: each.to_json() for name, each in self.tables.items()}
        beside = {"sums": dict(self.sums), "keys": dict(self.keys), "base": dict(self.base)}
        text = json.dumps({"format": _FORMAT, "tables": tables, **beside})
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA}")
        con.execute(f"CREATE TABLE IF NOT EXISTS {_SCHEMA}.contents (text VARCHAR)")
        con.execute(f"DELETE FROM {_SCHEMA}.contents")
        con.execute(f"INSERT INTO {_SCHEMA}.contents VALUES ({literal(text)})")  # as in a mirror


def read_contents(con: duckdb.DuckDBPyConnection, number: int | None = None) -> LakeContents | None:
    """What the attached lake says of a snapshot, by default the newest; None where greynb published nothing.

    Raises
    ------
    ValueError
        It was written by another version of greynb.
    """
    at = "" if number is None else f" AT (VERSION => {number})"
    try:
        rows = con.execute(f"SELECT text FROM {_SCHEMA}.contents{at}").fetchall()
    except duckdb.CatalogException as error:
        stop_if_interrupted(error)
        return None
    if not rows:
        return None
    found = json.loads(rows[0][0])
    if found.get("format") != _FORMAT:
        raise ValueError("it was published by another version of greynb")
    tables = {name: MirrorTable.from_json(each) for name, each in found["tables"].items()}
    return LakeContents(tables, found["sums"], found.get("keys", {}), found["base"])
