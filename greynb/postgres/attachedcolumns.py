"""The columns of an attached PostgreSQL database, and how DuckDB has to read each to see what is there.

DuckDB's scanner reads most types as they are. Where it does not, a view puts it right:

==============================  ==================================================================
PostgreSQL                      read
==============================  ==================================================================
json, money, inet, ranges, …    the server's text, compared as text: the scanner would have the
                                server compare it by the type's own rules
domains                         as their base type: the scanner has text, which sorts otherwise
numeric of a negative scale     not at all: the scanner has other numbers
numeric                         the scanner has 0 for NaN and infinity: looked for by `special`
==============================  ==================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from greynb.databases.identifiers import literal, quote

LISTING: Final = """
    SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') AS is_view, a.attname,
        format_type(a.atttypid, a.atttypmod) AS declared, b.typname, t.typtype = 'd' AS is_domain,
        CASE WHEN b.typname = 'numeric' AND m.mod > 0 THEN ((m.mod - 4) >> 16) & 65535 END AS digits,
        CASE WHEN b.typname = 'numeric' AND m.mod > 0 THEN (((m.mod - 4) & 2047) # 1024) - 1024 END AS scale,
        has_column_privilege(c.oid, a.attnum, 'SELECT') AS is_readable,
        EXISTS (SELECT FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am w ON w.oid = x.relam
            WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum AND i.indpred IS NULL AND i.indisvalid
                AND w.amname = 'btree') AS is_indexed
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END
    CROSS JOIN LATERAL (SELECT CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE a.atttypmod END AS mod) m
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND pg_table_is_visible(c.oid) AND c.relpersistence <> 't'
        AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY c.relname, a.attnum
"""
"""Schema, table, whether it is a view, and what `AttachedColumn` has, of all on the search path."""
_MOST: Final = 38
"""Digits of a DECIMAL."""
_TEXTS: Final = frozenset({"text", "varchar", "bpchar", "name", "char"})
_BASES: Final = {
    "int2": "SMALLINT",
    "int4": "INTEGER",
    "int8": "BIGINT",
    "oid": "UINTEGER",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "bool": "BOOLEAN",
    "date": "DATE",
    "time": "TIME",
    "timestamp": "TIMESTAMP",
    "timestamptz": "TIMESTAMPTZ",
    "uuid": "UUID",
}


@dataclass(frozen=True, slots=True)
class AttachedColumn:
    """A column as the server lists it.

    Attributes
    ----------
    name, declared
        Its name, and its type as PostgreSQL writes it.
    base
        The type's internal name (``int8``); of a domain, that of its base.
    is_domain
        Whether the type is a domain.
    precision, scale
        Of a numeric with a fixed size: digits in all, and behind the point.
    is_readable
        Whether the user of the address may read it.
    is_indexed
        Whether an index begins with it, at whose ends the server finds its least and greatest value.
    """

    name: str
    declared: str
    base: str
    is_domain: bool
    precision: int | None
    scale: int | None
    is_readable: bool
    is_indexed: bool

    @property
    def is_rounded(self) -> bool:
        """Whether it is a numeric that DuckDB has as DOUBLE."""
        return self.base == "numeric" and (self.precision is None or self.precision > _MOST)

    def special(self, table: str) -> str | None:
        """What the server computes to see a number that the scanner reads as 0; None without.

        It is an aggregate over the table, or where the column has an index, a subquery that needs no scan:
        to PostgreSQL, infinity is greater than all numbers, and NaN greater still.
        """
        if not self.is_readable:
            return None
        name = quote(self.name)
        if self.base == "_numeric":
            return f"bool_or({name}::text ~ 'NaN|Infinity')"
        if self.base != "numeric" or self.is_domain:
            return None
        if self.precision is not None:
            # Of a fixed size, it holds no infinity.
            return (
                f"(SELECT max({name}) = 'NaN' FROM {table})"
                if self.is_indexed
                else f"bool_or({name} = 'NaN')"
            )
        if self.is_indexed:  # infinity minus itself is NaN
            ends = f"max({name}) - max({name}) <> 0 OR min({name}) - min({name}) <> 0"
            return f"(SELECT {ends} FROM {table})"
        return f"bool_or({name} - {name} <> 0)"

    def read(self, kind: str) -> str | None:
        """The expression that reads it; None where it is read as it is.

        Parameters
        ----------
        kind
            The type that the scanner gives it.
        """
        if self.is_domain and (wanted := self._base()):
            return f"CAST({quote(self.name)} AS {wanted})"
        if self.scale is not None and self.scale < 0:
            return self.refused(f"is {self.declared}, which DuckDB reads as other numbers", "DOUBLE")
        if kind == "VARCHAR" and self.base not in _TEXTS:
            return f"{quote(self.name)} || ''"
        return None

    def refused(self, reason: str, kind: str) -> str:
        """An expression that fails, with a reason, as soon as a statement needs the column."""
        return f"CAST(error({literal(f'column {self.name} {reason}')}) AS {kind})"

    def _base(self) -> str | None:
        if self.base != "numeric":
            return _BASES.get(self.base)
        if self.precision is None or self.scale is None or self.scale < 0 or self.is_rounded:
            return "DOUBLE"
        return f"DECIMAL({self.precision}, {self.scale})"


def view_of(source: str, expressions: Iterable[tuple[str, str]]) -> str:
    """A SELECT of all columns of a source; some by other expressions, given as name and expression."""
    replaced = ", ".join(f"{expression} AS {quote(name)}" for name, expression in expressions)
    return f"SELECT *{f' REPLACE ({replaced})' if replaced else ''} FROM {source}"
