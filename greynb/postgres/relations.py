"""The tables of a PostgreSQL database as a publication makes them in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.postgres.columns import ColumnPlan, planned
from greynb.postgres.constraints import Constraints, constraints
from greynb.postgres.portable import Kind
from greynb.postgres.views import View

if TYPE_CHECKING:
    import psycopg

_RELATIONS: Final = """
    SELECT c.oid, c.relname, c.relkind, c.oid::regclass::text,
        (SELECT string_agg(t.relid::oid::text, ' ' ORDER BY t.relid::oid) FROM pg_partition_tree(c.oid) t),
        row_security_active(c.oid), CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END
    FROM pg_class c
    WHERE pg_table_is_visible(c.oid) AND c.relkind IN ('r', 'p', 'm', 'f', 'v') AND NOT c.relispartition
        AND c.relpersistence <> 't' AND c.relispopulated
        AND c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
    ORDER BY c.relname
"""
# A type's labels belong to it: a label that is renamed changes rows that nobody wrote to.
_COLUMNS: Final = """
    SELECT a.attrelid, a.attname, b.typname, b.typcategory::text, a.attnotnull,
        coalesce((SELECT c.collisdeterministic FROM pg_collation c WHERE c.oid = a.attcollation), true),
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
    SELECT i.indrelid, x.relname, i.indisprimary,
        i.indisunique AND NOT coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false) AS is_unique,
        array_agg(a.attname::text ORDER BY k.place)
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    CROSS JOIN unnest(i.indkey[0:i.indnkeyatts - 1]) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
    WHERE i.indrelid = ANY(%s) AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    GROUP BY i.indrelid, x.relname, i.indisprimary, is_unique ORDER BY x.relname
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
    unique
        The names of those that let no value come twice.
    constraints
        What else it demands of its rows.
    hides
        Whether row policies decide which rows are seen.
    traced
        Whether rows tell which transaction wrote them, and are seen since then.
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
    unique: frozenset[str]
    constraints: Constraints
    hides: bool
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
        lines += [f"CONSTRAINT {quote(name)} CHECK ({sql})" for name, sql in self.constraints.checks.items()]
        return f"CREATE TABLE {quote(self.name)} ({', '.join(lines)})"

    @property
    def create_indexes(self) -> dict[str, str]:
        """The statements that make its indexes, by name."""
        return {
            name: f"CREATE {'UNIQUE ' if name in self.unique else ''}INDEX {quote(name)}"
            f" ON {quote(self.name)} ({', '.join(map(quote, columns))})"
            for name, columns in self.indexes.items()
        }

    def without(self, name: str) -> Relation:
        """The same without a CHECK, or with an index that is not unique."""
        checks = {check: sql for check, sql in self.constraints.checks.items() if check != name}
        kind = "CHECK" if name in self.constraints.checks else "unique index"
        others = (*self.constraints.others, f"{name} ({kind})")
        return replace(self, constraints=Constraints(checks, others), unique=self.unique - {name})

    def with_text(self, column: str) -> Relation:
        """The same with a numeric column as text, and without the CHECKs that name it."""
        columns = tuple(
            planned(each.name, "numeric", "N", None, exact=True) if each.name == column else each
            for each in self.columns
        )
        found = replace(self, columns=columns, exact=self.exact | {column})
        for check, sql in self.constraints.checks.items():
            if quote(column) in sql:
                found = found.without(check)
        return found

    @property
    def kinds(self) -> dict[str, Kind]:
        """What each column is in a condition."""
        return {each.name: each.kind for each in self.columns}

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
    """List what holds rows of its own, and the names of the views; parameters as of `with_views`."""
    found, views = with_views(con, exact)
    return found, [each.name for each in views]


def with_views(
    con: psycopg.Connection[Any], exact: Mapping[str, Iterable[str]]
) -> tuple[list[Relation], list[View]]:
    """List what holds rows of its own, and the views.

    Parameters
    ----------
    con
        A connection inside a transaction.
    exact
        Numeric columns that are known to need text, by table.
    """
    listed = con.execute(_RELATIONS).fetchall()
    oids = [oid for oid, *_ in listed]
    columns: dict[int, list[_Column]] = {}
    for oid, *column in con.execute(_COLUMNS, (oids,)):
        columns.setdefault(oid, []).append(_Column(*column))
    indexes: dict[int, list[tuple[Any, ...]]] = {}
    for oid, *index in con.execute(_KEYS, (oids,)):
        indexes.setdefault(oid, []).append(tuple(index))
    tables = [each for each in listed if each[2] != "v" and each[0] in columns]
    plans = {
        oid: tuple(each.planned(exact.get(name, ())) for each in columns[oid]) for oid, name, *_ in tables
    }
    kinds = {oid: {each.name: each.kind for each in plan} for oid, plan in plans.items()}
    demanded = constraints(con, kinds)
    found = [
        _relation(
            *(each, columns[each[0]], plans[each[0]], indexes.get(each[0], []), demanded[each[0]]),
            exact.get(each[1], ()),
        )
        for each in tables
    ]
    views = [
        View(name, definition, {each.name: each.shown for each in columns.get(oid, [])})
        for oid, name, kind, *_, definition in listed
        if kind == "v"
    ]
    return found, views


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    base: str
    category: str
    required: bool
    strict: bool
    scale: int | None
    declared: str

    def planned(self, exact: Iterable[str]) -> ColumnPlan:
        is_exact = self.name in set(exact)
        return planned(self.name, self.base, self.category, self.scale, exact=is_exact, strict=self.strict)

    @property
    def shown(self) -> Kind:
        """What it is as a view's column; a numeric may be text in the table that it comes from."""
        return "other" if self.base == "numeric" else self.planned(()).kind


def _relation(
    listed: tuple[Any, ...],
    columns: list[_Column],
    plan: tuple[ColumnPlan, ...],
    indexes: list[tuple[Any, ...]],
    demanded: Constraints,
    exact: Iterable[str],
) -> Relation:
    oid, name, kind, qualified, partitions, hides, _ = listed
    types = "; ".join(f"{each.name} {each.declared}" for each in columns)
    return Relation(
        name=name,
        qualified=qualified,
        columns=plan,
        required=frozenset(each.name for each in columns if each.required),
        key=next((tuple(names) for _, primary, _, names in indexes if primary), ()),
        indexes={index: tuple(names) for index, primary, _, names in indexes if not primary},
        unique=frozenset(index for index, primary, unique, _ in indexes if unique and not primary),
        constraints=demanded,
        exact=frozenset(exact),
        hides=hides,
        traced=kind != "f" and not hides,
        identity=f"{oid}: {partitions or ''}: {types}",
    )
