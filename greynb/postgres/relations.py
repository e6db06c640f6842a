"""The tables of a PostgreSQL database as a publication makes them in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.postgres.columns import ColumnPlan, planned

if TYPE_CHECKING:
    import psycopg

_RELATIONS: Final = """
    SELECT c.oid, c.relname, c.relkind, c.oid::regclass::text,
        (SELECT string_agg(t.relid::oid::text, ' ' ORDER BY t.relid::oid) FROM pg_partition_tree(c.oid) t)
    FROM pg_class c
    WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p', 'm', 'f', 'v') AND NOT c.relispartition
        AND c.relpersistence <> 't' AND c.relispopulated
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ORDER BY c.relname
"""
# A type's labels belong to it: a label that is renamed changes rows that nobody wrote to.
_COLUMNS: Final = """
    SELECT a.attrelid, a.attname, b.typname, b.typcategory::text, a.attnotnull,
        CASE WHEN b.typname = 'numeric' AND m.mod > 0 THEN (m.mod - 4) & 2047 END,
        format_type(a.atttypid, a.atttypmod) || coalesce(
            (SELECT string_agg(e.enumlabel, ',' ORDER BY e.enumsortorder) FROM pg_enum e
             WHERE e.enumtypid = b.oid), '')
    FROM pg_attribute a
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS mod) m
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum
"""
_KEYS: Final = """
    SELECT i.indrelid, x.relname, i.indisprimary, array_agg(a.attname::text ORDER BY k.place)
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    CROSS JOIN unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = ANY(%s) AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    GROUP BY i.indrelid, x.relname, i.indisprimary ORDER BY x.relname
"""


@dataclass(frozen=True, slots=True)
class Relation:
    """One table, partitioned table, foreign table or materialized view.

    Attributes
    ----------
    name, qualified
        Its own name, and how statements name it.
    columns
        In order.
    required
        The names of columns that are never NULL.
    key
        The primary key's columns; empty without one.
    indexes
        Columns of every other index over plain columns, by the index's name.
    traced
        Whether rows tell which transaction wrote them.
    identity
        What else must be the same for that to tell all: the table itself, its partitions, its columns' types.
    exact
        Numeric columns that are text, as a number has too many digits.
    """

    name: str
    qualified: str
    columns: tuple[ColumnPlan, ...]
    required: frozenset[str]
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]]
    traced: bool
    identity: str
    exact: frozenset[str] = frozenset()

    @property
    def create(self) -> str:
        """The statement that makes the table in SQLite."""
        lines = [
            f"{quote(each.name)} {each.declared}" + (" NOT NULL" if each.name in self.required else "")
            for each in self.columns
        ]
        if self.key:
            lines.append(f"PRIMARY KEY ({', '.join(map(quote, self.key))})")
        return f"CREATE TABLE {quote(self.name)} ({', '.join(lines)})"

    @property
    def create_indexes(self) -> list[str]:
        """The statements that make its indexes; none is unique, as rows are brought in one by one."""
        return [
            f"CREATE INDEX {quote(name)} ON {quote(self.name)} ({', '.join(map(quote, columns))})"
            for name, columns in self.indexes.items()
        ]

    def with_text(self, column: str) -> Relation:
        """The same with a numeric column as text."""
        columns = tuple(
            planned(each.name, "numeric", "N", None, exact=True) if each.name == column else each
            for each in self.columns
        )
        return replace(self, columns=columns, exact=self.exact | {column})

    @property
    def select(self) -> str:
        """What to select for all columns."""
        return ", ".join(each.select for each in self.columns)

    @property
    def keys(self) -> tuple[ColumnPlan, ...]:
        """The columns of the primary key."""
        by_name = {each.name: each for each in self.columns}
        return tuple(by_name[name] for name in self.key)


def relations(
    con: psycopg.Connection[Any], exact: Mapping[str, Iterable[str]]
) -> tuple[list[Relation], list[str]]:
    """List what can be published, and the names of the views, which cannot.

    Parameters
    ----------
    con
        A connection inside a transaction.
    exact
        Numeric columns that are known to need text, by table.
    """
    listed = con.execute(_RELATIONS).fetchall()
    oids = [oid for oid, *_ in listed]
    columns: dict[int, list[tuple[Any, ...]]] = {}
    for oid, *column in con.execute(_COLUMNS, (oids,)):
        columns.setdefault(oid, []).append(tuple(column))
    indexes: dict[int, list[tuple[Any, ...]]] = {}
    for oid, *index in con.execute(_KEYS, (oids,)):
        indexes.setdefault(oid, []).append(tuple(index))
    found = [
        _relation(each, columns.get(each[0], []), indexes.get(each[0], []), set(exact.get(each[1], ())))
        for each in listed
        if each[2] != "v" and each[0] in columns
    ]
    return found, [name for _, name, kind, *_ in listed if kind == "v"]


def _relation(
    listed: tuple[Any, ...],
    columns: list[tuple[Any, ...]],
    indexes: list[tuple[Any, ...]],
    exact: set[str],
) -> Relation:
    oid, name, kind, qualified, partitions = listed
    key = next((tuple(names) for _, primary, names in indexes if primary), ())
    types = "; ".join(f"{column} {declared}" for column, _, _, _, _, declared in columns)
    return Relation(
        name=name,
        qualified=qualified,
        columns=tuple(
            planned(column, base, category, scale, exact=column in exact)
            for column, base, category, _, scale, _ in columns
        ),
        required=frozenset(column for column, _, _, required, _, _ in columns if required),
        key=key,
        indexes={index: tuple(names) for index, primary, names in indexes if not primary},
        exact=frozenset(exact),
        traced=kind != "f",
        identity=f"{oid}: {partitions or ''}: {types}",
    )
