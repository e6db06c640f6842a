"""PostgreSQL's views in SQLite's words: those that choose, join, filter and count; all else is refused.

What is read is PostgreSQL's own spelling of them (``pg_get_viewdef``), with `greynb.postgres.portable`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from greynb.databases.identifiers import quote
from greynb.databases.sqltext import tokens
from greynb.postgres.portable import Kind, NotPortable, Reading, name_of

_RESERVED: Final = frozenset("AS CROSS FROM FULL GROUP INNER JOIN LEFT NATURAL ON RIGHT WHERE".split())


def view(sql: str, tables: Mapping[str, Mapping[str, Kind]]) -> str:
    """The SELECT of a view, for SQLite.

    Parameters
    ----------
    sql
        As ``pg_get_viewdef`` has it.
    tables
        What can be read from: columns by the name of the table or view.

    Raises
    ------
    NotPortable
        SQLite may not mean the same by it.
    """
    written = {each.text.strip('"') for each in tokens(sql, "postgresql")}
    kinds: dict[str, Kind] = {}
    for columns in (columns for table, columns in tables.items() if table in written):
        for name, kind in columns.items():
            # A name is looked up without its table, so it has to be of one kind in all.
            kinds[name] = kind if kinds.get(name, kind) == kind else "other"
    reading = _Select(sql, kinds, tables)
    found = reading.select()
    reading.end()
    return found


class _Select(Reading):
    def __init__(self, sql: str, columns: Mapping[str, Kind], tables: Collection[str]) -> None:
        super().__init__(sql, columns)
        self._tables = tables

    def select(self) -> str:
        self.need("SELECT")
        distinct = self.take("DISTINCT")
        items = [self._item(grouped=bool(distinct))]
        while self.take(","):
            items.append(self._item(grouped=bool(distinct)))
        self.need("FROM")
        found = f"SELECT {'DISTINCT ' if distinct else ''}{', '.join(items)} FROM {self._sources()}"
        if self.take("WHERE"):
            found += f" WHERE {self.either()}"
        if self.take("GROUP"):
            self.need("BY")
            names = [self._grouping()]
            while self.take(","):
                names.append(self._grouping())
            found += f" GROUP BY {', '.join(names)}"
        return found

    def _item(self, *, grouped: bool) -> str:
        """A column or a count, with the name that it gets."""
        begun = self.at
        try:
            found = self._grouping() if grouped else self.column(self.next())[0]
        except NotPortable:
            self.at = begun
            found = self._aggregate()
        if self.take("AS"):
            found += f" AS {quote(name_of(self.next()))}"
        return found

    def _aggregate(self) -> str:
        name = self.next().text
        self.need("(")
        if name == "count" and self.take("*"):
            argument, kind = "*", "integer"
        else:
            argument, kind = self.column(self.next())
        self.need(")")
        if name != "count" and not (name in ("sum", "min", "max") and kind == "integer"):
            raise NotPortable
        return f"{name}({argument})"

    def _grouping(self) -> str:
        found, kind = self.column(self.next())
        if kind == "other":
            raise NotPortable
        return found

    def _sources(self) -> str:
        found = self._joined()
        while self.take(","):
            found += f", {self._joined()}"
        return found

    def _joined(self) -> str:
        if self.take("("):
            found = f"({self._joined()})"
            self.need(")")
        else:
            found = self._table()
        while self.peek() in ("JOIN", "LEFT", "CROSS"):
            kind = self.next().text.upper()
            if kind != "JOIN":
                self.need("JOIN")
                kind += " JOIN"
            found += f" {kind} {self._joined_to()}"
            if kind != "CROSS JOIN":
                self.need("ON")
                found += f" ON {self.either()}"
        return found

    def _joined_to(self) -> str:
        if not self.take("("):
            return self._table()
        found = f"({self._joined()})"
        self.need(")")
        return found

    def _table(self) -> str:
        name = name_of(self.next())
        if name not in self._tables:
            raise NotPortable
        found = quote(name)
        following = self.tokens[self.at] if self.at < len(self.tokens) else None
        if following and following.kind in ("name", "quoted") and following.text.upper() not in _RESERVED:
            found += f" AS {quote(name_of(self.next()))}"
        return found
