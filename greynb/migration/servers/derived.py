"""Tables that were made in PostgreSQL, or changed there, as SQLite can have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.migration.servers.columns import Back, Kept
from greynb.postgres.relations import Relation

if TYPE_CHECKING:
    import psycopg

_FORMATTED: Final = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum),
        array_agg(format_type(a.atttypid, a.atttypmod) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p', 'm', 'f') AND a.attnum > 0
        AND NOT a.attisdropped
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    GROUP BY c.relname
"""
_INDEXES: Final = """
    SELECT x.relname, array_agg(a.attname::text ORDER BY k.place), i.indisunique
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    CROSS JOIN unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = %s::regclass AND NOT i.indisprimary AND i.indpred IS NULL AND i.indexprs IS NULL
    GROUP BY x.relname, i.indexrelid, i.indisunique ORDER BY i.indexrelid
"""
_FOREIGN: Final = """
    SELECT (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(f.conkey) WITH ORDINALITY
            AS k (attnum, place) JOIN pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum),
        p.relname,
        (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(f.confkey) WITH ORDINALITY
            AS k (attnum, place) JOIN pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum),
        f.confupdtype::text, f.confdeltype::text
    FROM pg_constraint f JOIN pg_class p ON p.oid = f.confrelid
    WHERE f.conrelid = %s::regclass AND f.contype = 'f' ORDER BY f.oid
"""
_MORE: Final = """
    SELECT 'the check ' || conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'
    UNION ALL
    SELECT 'the default of ' || a.attname FROM pg_attrdef d
    JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum WHERE d.adrelid = %s::regclass
    UNION ALL
    SELECT 'the exclusion ' || conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'x'
    UNION ALL
    SELECT 'the index ' || x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = %s::regclass AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL)
    UNION ALL
    SELECT 'the trigger ' || tgname FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal
"""
_COUNTS: Final = """
    SELECT a.attname FROM pg_attribute a
    WHERE a.attrelid = %s::regclass AND a.attidentity <> '' AND a.atttypid = 'bigint'::regtype
"""
_FORMATS: Final = {"timestamp": "timestamp without time zone"}
_ACTIONS: Final = {
    "a": "NO ACTION",
    "r": "RESTRICT",
    "c": "CASCADE",
    "n": "SET NULL",
    "d": "SET DEFAULT",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One table on its way to SQLite.

    Attributes
    ----------
    name, source
        Its name, and how PostgreSQL's statements name it.
    create
        The statement that makes it.
    columns
        All its columns, in order.
    computed
        Those that SQLite computes by itself.
    indexes
        Statements made after the rows.
    relation
        What it was derived from; None where it is as it was in SQLite.
    """

    name: str
    source: str
    create: str
    columns: tuple[Back, ...]
    computed: frozenset[str] = frozenset()
    indexes: tuple[str, ...] = ()
    relation: Relation | None = None


def formatted(con: psycopg.Connection[Any]) -> dict[str, list[tuple[str, str]]]:
    """Name and type of the columns of each table on the search path."""
    return {name: list(zip(columns, types, strict=True)) for name, columns, types in con.execute(_FORMATTED)}


def is_as_it_was(columns: Sequence[tuple[str, str]] | None, kept: Sequence[Kept]) -> bool:
    """Whether a table has the columns and types that a migration gave it."""
    return columns == [(each.name, _FORMATS.get(each.type, each.type)) for each in kept]


def derived(con: psycopg.Connection[Any], relation: Relation) -> tuple[Wanted, list[str]]:
    """A table by its definition in PostgreSQL, and what of that SQLite does not get."""
    name = relation.qualified
    counted = relation.key == tuple(column for (column,) in con.execute(_COUNTS, (name,)).fetchall())
    lines = [
        f"{quote(each.name)} INTEGER PRIMARY KEY"
        if counted and (each.name,) == relation.key
        else f"{quote(each.name)} {each.declared}{' NOT NULL' * (each.name in relation.required)}"
        for each in relation.columns
    ]
    if relation.key and not counted:
        lines.append(f"PRIMARY KEY ({_listed(relation.key)})")
    indexes = []
    for index, columns, unique in con.execute(_INDEXES, (name,)).fetchall():
        if unique:
            lines.append(f"UNIQUE ({_listed(columns)})")
        else:
            indexes.append(f"CREATE INDEX {quote(index)} ON {quote(relation.name)} ({_listed(columns)})")
    lines += [_reference(*each) for each in con.execute(_FOREIGN, (name,)).fetchall()]
    more = [f"{what} of {relation.name}" for (what,) in con.execute(_MORE, (name,) * 5).fetchall()]
    wanted = Wanted(
        name=relation.name,
        source=name,
        create=f"CREATE TABLE {quote(relation.name)} ({', '.join(lines)})",
        columns=tuple(Back(each.name, each.select, each.convert) for each in relation.columns),
        indexes=tuple(indexes),
        relation=relation,
    )
    return wanted, more


def _reference(
    columns: Sequence[str], parent: str, parents: Sequence[str], updated: str, deleted: str
) -> str:
    return (
        f"FOREIGN KEY ({_listed(columns)}) REFERENCES {quote(parent)} ({_listed(parents)})"
        f" ON UPDATE {_ACTIONS[updated]} ON DELETE {_ACTIONS[deleted]}"
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(quote, names))
