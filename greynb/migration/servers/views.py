"""The views of a SQLite file on their way to PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence

from greynb.databases.identifiers import fold, quote
from greynb.databases.sqltext import Token, tokens
from greynb.migration.servers.caseless import Columns, columns_of
from greynb.migration.servers.census import Held
from greynb.migration.servers.parts import Extra, Left
from greynb.migration.servers.portable import COLLATED, NotPortable, query
from greynb.migration.servers.sqliteschema import Schema
from greynb.migration.servers.tabletext import is_mark, unquoted, word


def views(schema: Schema, held: Held, lefts: list[Left]) -> Iterator[Extra]:
    """The views that mean the same in PostgreSQL; the others are noted."""
    columns = _seen(schema, held)
    for name, sql in schema.views.items():
        found = [each for each in tokens(sql, "sqlite") if each.significant]
        begin = next((n for n, each in enumerate(found) if word(each) == "AS" or is_mark(each, "(")), 0)
        try:
            if word(found[begin]) != "AS":
                raise NotPortable("it names its columns in front")
            _check_collations(found[begin + 1 :], columns)
            made = query(found[begin + 1 :], columns)
            yield Extra(f"view {name}", f"CREATE VIEW {quote(name)} AS {made}", "view", name)
        except NotPortable as error:
            lefts.append(Left(f"view {name}", str(error)))


def _seen(schema: Schema, held: Held) -> Columns:
    """What views may name: a name stands for the columns of all tables, so it is what all of these are."""
    every = [columns_of(table, held.columns[table.name]) for table in schema.tables]
    names = schema.spellings
    for name in schema.views:
        names.setdefault(fold(name), set()).add(name)

    def all_of(chosen: Callable[[Columns], Container[str]]) -> frozenset[str]:
        return frozenset(
            name for name in names if all(name in chosen(each) for each in every if name in each.names)
        )

    return Columns(
        names,
        all_of(lambda each: each.booleans) - set(map(fold, schema.views)),
        all_of(lambda each: each.texts),
        {name: collation for each in every for name, collation in each.collations.items()},
    )


def _check_collations(found: Sequence[Token], columns: Columns) -> None:
    """Refuse a view in which a column could be compared that compares in a way of its own."""
    begin = next((n for n, each in enumerate(found) if word(each) == "FROM"), len(found))
    compares = {word(each) for each in found} & {"DISTINCT", "UNION", "CASE", "MIN", "MAX", "EXISTS", "IN"}
    for token in found if compares else found[begin:]:
        collation = columns.collations.get(fold(unquoted(token)))
        if collation and token.kind in ("name", "quoted"):
            raise NotPortable(COLLATED.format(unquoted(token), collation))
