"""What PostgreSQL demands of its rows, beside keys and NOT NULL, as far as a published file can have it.

A file has the CHECKs that SQLite understands as PostgreSQL does. All else is told of by name: foreign keys,
exclusions, CHECKs and domains with other functions, and unique indexes over expressions, a part of the rows,
or NULLs that count as equal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from greynb.postgres.portable import Kind, NotPortable, condition

if TYPE_CHECKING:
    import psycopg

_ASKED: Final = """
    SELECT conrelid, conname, contype::text, pg_get_expr(conbin, conrelid), convalidated
    FROM pg_constraint WHERE conrelid = ANY(%(oids)s) AND contype IN ('c', 'f', 'x')
    UNION ALL
    SELECT i.indrelid, x.relname, 'u', NULL, false
    FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
    WHERE i.indrelid = ANY(%(oids)s) AND i.indisunique AND NOT i.indisprimary AND i.indisvalid
        AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL
            OR coalesce((to_jsonb(i)->>'indnullsnotdistinct')::boolean, false))
    UNION ALL
    SELECT a.attrelid, a.attname, 'd', NULL, false
    FROM pg_attribute a JOIN pg_constraint c ON c.contypid = a.atttypid
    WHERE a.attrelid = ANY(%(oids)s) AND a.attnum > 0 AND NOT a.attisdropped AND c.contype = 'c'
    ORDER BY 1, 3, 2
"""
_WORDS: Final = {
    "c": "CHECK",
    "f": "foreign key",
    "x": "exclusion",
    "u": "unique index",
    "d": "domain's CHECK",
}


@dataclass(frozen=True, slots=True)
class Constraints:
    """What one table demands.

    Attributes
    ----------
    checks
        Conditions in SQLite's words, by name.
    others
        In words, what a published file does not have: ``races_venue_fkey (foreign key)``.
    """

    checks: Mapping[str, str] = field(default_factory=dict)
    others: tuple[str, ...] = ()


def constraints(
    con: psycopg.Connection[Any], kinds: Mapping[int, Mapping[str, Kind]]
) -> dict[int, Constraints]:
    """Ask for the constraints of tables.

    Parameters
    ----------
    con
        A connection inside a transaction.
    kinds
        Of each table's columns, by its oid.
    """
    listed: dict[int, list[tuple[Any, ...]]] = {oid: [] for oid in kinds}
    for oid, *each in con.execute(_ASKED, {"oids": list(kinds)}):
        listed[oid].append(tuple(each))
    return {oid: _sorted_out(each, kinds[oid]) for oid, each in listed.items()}


def _sorted_out(listed: Sequence[tuple[Any, ...]], kinds: Mapping[str, Kind]) -> Constraints:
    checks, others = {}, []
    for name, kind, expression, is_valid in listed:
        try:
            if kind != "c" or not is_valid:
                raise NotPortable
            checks[name] = condition(expression, kinds)
        except NotPortable:
            others.append(f"{name} ({_WORDS[kind]})")
    return Constraints(checks, tuple(dict.fromkeys(others)))
