"""What a migration notes in PostgreSQL, so that the way back makes the same tables.

One row of JSON in ``greynb_migration.record``: a schema of its own, on nobody's search path and so in no
publication.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.migration.servers.columns import Kept

if TYPE_CHECKING:
    import psycopg

_FORMAT: Final = 1
SCHEMA: Final = "greynb_migration"
"""A role that is called ``greynb`` has the schema ``greynb`` on its path."""
_TABLE: Final = f"{SCHEMA}.record"


@dataclass(frozen=True, slots=True)
class Record:
    """What was migrated.

    Attributes
    ----------
    source
        The SQLite file.
    content
        The content hash of each table.
    tables
        How the columns of each are kept.
    statements
        Kind, name, table and SQL of the file's schema, in the order of their making.
    counters
        What ``AUTOINCREMENT`` counted to, by table.
    numbers
        ``user_version`` and ``application_id``.
    virtual
        The virtual tables that were left.
    """

    source: str
    content: Mapping[str, str]
    tables: Mapping[str, tuple[Kept, ...]]
    statements: tuple[tuple[str, str, str, str], ...]
    counters: Mapping[str, int]
    numbers: tuple[int, int]
    virtual: tuple[str, ...]

    def write(self, con: psycopg.Connection[Any]) -> None:
        """Note it in the transaction that made the tables."""
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
        con.execute(f"CREATE TABLE IF NOT EXISTS {_TABLE} (text text NOT NULL)")
        con.execute(f"DELETE FROM {_TABLE}")
        text = json.dumps({"format": _FORMAT, **asdict(self)})
        con.execute(f"INSERT INTO {_TABLE} VALUES (%s)", (text,))


def read_record(con: psycopg.Connection[Any]) -> Record | None:
    """What was noted; None where nothing was, or by another version of greynb."""
    if con.execute("SELECT to_regclass(%s)", (_TABLE,)).fetchall() == [(None,)]:
        return None
    rows = con.execute(f"SELECT text FROM {_TABLE}").fetchall()
    found = json.loads(rows[0][0]) if rows else {}
    if found.pop("format", None) != _FORMAT:
        return None
    found["tables"] = {name: tuple(Kept(**each) for each in kept) for name, kept in found["tables"].items()}
    found["statements"] = tuple(tuple(each) for each in found["statements"])
    found["numbers"] = tuple(found["numbers"])
    return Record(**found)


def there(con: psycopg.Connection[Any], record: Record) -> list[str]:
    """The names of the tables that were migrated and are there still."""
    asked = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NOT NULL"
    return [name for (name,) in con.execute(asked, (list(record.tables),)).fetchall()]
