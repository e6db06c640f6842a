"""Indexes that another index makes superfluous."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from greynb.databases.identifiers import literal, quote
from greynb.doctor.findings import Evidence
from greynb.doctor.leftovers import bytes_of
from greynb.doctor.patient import Patient, Subject


@dataclass(frozen=True, slots=True)
class _Index:
    """One index; `keys` are its columns with order and collation, `where` what restricts it."""

    table: str
    name: str
    unique: bool
    own: bool
    keys: tuple[tuple[str, int, str], ...]
    where: str


def duplicates(patient: Patient) -> Iterator[Evidence]:
    """Indexes that could be dropped without any query becoming slower."""
    for each in patient.content:
        found = list(_superfluous(list(_indexes(each))))
        if found:
            sizes = bytes_of(each, [index.name for index, _ in found])
            yield Evidence(
                tuple(
                    f"{index.table}: {index.name} {'is' if same else 'begins'} {other.name}"
                    f" ({sizes.get(index.name, 0) / 1e6:,.1f} MB)"
                    for index, other in found
                    for same in [index.keys == other.keys]
                ),
                "\n".join(f"%staging DROP INDEX {quote(index.name)}" for index, _ in found),
                each.role,
                each.path,
            )


def _superfluous(indexes: list[_Index]) -> Iterator[tuple[_Index, _Index]]:
    """Each index that can go, with one that does its work and stays."""
    gone: set[str] = set()
    # The weakest first, so that of two equal ones the stronger stays.
    for index in sorted(indexes, key=lambda each: (len(each.keys), each.unique, not each.own), reverse=False):
        for other in indexes:
            if other.name not in gone and _covers(other, index):
                gone.add(index.name)
                yield index, other
                break


def _covers(other: _Index, index: _Index) -> bool:
    if not index.own or other.name == index.name or other.table != index.table or other.where != index.where:
        return False
    if index.keys == other.keys:
        return other.unique or not index.unique
    return not index.unique and other.keys[: len(index.keys)] == index.keys


def _indexes(subject: Subject) -> Iterator[_Index]:
    """All indexes of columns alone; one of an expression is compared with none."""
    rows = subject.rows(
        "SELECT t.name, i.name, i.\"unique\", i.origin = 'c', coalesce(s.sql, '')"
        " FROM pragma_table_list AS t, pragma_index_list(t.name) AS i"
        " LEFT JOIN sqlite_schema AS s ON s.name = i.name AND s.type = 'index'"
        " WHERE t.schema = 'main' AND t.type = 'table' ORDER BY t.name, i.seq"
    )
    for table, name, unique, own, sql in rows:
        keys = subject.rows(
            f'SELECT name, "desc", upper(coll) FROM pragma_index_xinfo({literal(str(name))}) WHERE key'
        )
        if all(column is not None for column, _, _ in keys):
            yield _Index(
                str(table),
                str(name),
                bool(unique),
                bool(own),
                tuple((str(column).lower(), int(str(down)), str(coll)) for column, down, coll in keys),
                _where(str(sql)),
            )


def _where(sql: str) -> str:
    """What restricts a partial index, as it was written."""
    found = re.search(r"\)\s*WHERE\b(.*)", sql, re.IGNORECASE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""
