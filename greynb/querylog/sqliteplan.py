"""SQLite's plan of a statement in plain words (https://www.sqlite.org/eqp.html), and the indexes it lacks.

Whether an index would help is not guessed: it is made in an empty copy of the schema in memory, with the
planner's statistics of the database, and SQLite is asked for its plan there.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from greynb.databases.identifiers import quote
from greynb.databases.parameters import bind
from greynb.databases.sqltext import parameter_names
from greynb.errors import GreynbError, QueryError
from greynb.querylog.equalities import Compared, compared

_TRIAL: Final = "greynb_trial"
_COUNTING: Final = 2.0
"""Seconds that counting the rows of a table may take."""


@dataclass(frozen=True, slots=True)
class Missing:
    """An index that SQLite would use if it were there."""

    table: str
    column: str

    @property
    def sql(self) -> str:
        """The statement that makes it."""
        name = re.sub(r"\W+", "_", f"{self.table}_{self.column}")
        return f"CREATE INDEX {quote(name)} ON {quote(self.table)} ({quote(self.column)})"


class SqlitePlan:
    """The plan of one statement on one database.

    Parameters
    ----------
    con
        Reads the database; nothing is written and the statement is not run.
    sql
        One statement; of its parameters only the names count.

    Raises
    ------
    QueryError
        SQLite cannot plan it, for example because a table is gone.
    """

    def __init__(self, con: sqlite3.Connection, sql: str) -> None:
        self._con = con
        try:
            bound = bind(sql, dict.fromkeys(parameter_names(sql, "sqlite")), dialect="sqlite")
            self._sql, self._values = bound.sql, bound.parameters
            self.details = self._planned(con)
        except (sqlite3.Error, GreynbError) as error:
            raise QueryError(f"SQLite cannot plan this statement now: {error}") from error

    def sentences(self) -> list[str]:
        """The plan, a sentence for each step that costs something."""
        missing = self.missing()
        found: list[str] = []
        for detail in self.details:
            for pattern, say in _RULES:
                if match := pattern.match(detail):
                    if sentence := say.format(*match.groups()) if isinstance(say, str) else say(self, match):
                        found.append(_with_advice(sentence, match, self.tables, missing))
                    break
            else:
                found.append(detail.capitalize())
        return found

    def missing(self) -> list[Missing]:
        """The indexes that SQLite would use if they were there, each tried by itself."""
        return list(dict.fromkeys(self._missing()))

    @property
    def tables(self) -> Mapping[str, str]:
        """The table behind each name by which the plan may call it, in lower case."""
        return self._compared.tables

    def rows(self, table: str) -> str:
        """How many rows a table has, in words."""
        stop = time.monotonic() + _COUNTING
        self._con.set_progress_handler(lambda: int(time.monotonic() > stop), 100_000)
        try:
            number = self._con.execute(f"SELECT count(*) FROM {quote(table)}").fetchone()[0]
        except sqlite3.Error:
            return "all rows"
        finally:
            self._con.set_progress_handler(None, 0)
        return f"all {number:,} rows" if number != 1 else "the only row"

    @cached_property
    def _compared(self) -> Compared:
        return compared(self._con, self._sql)

    def _planned(self, con: sqlite3.Connection) -> list[str]:
        rows = con.execute(f"EXPLAIN QUERY PLAN {self._sql}", self._values).fetchall()
        return [str(row[3]) for row in rows]

    def _missing(self) -> Iterator[Missing]:
        wanted = list(self._wanted())
        if not wanted:
            return
        with closing(sqlite3.connect(":memory:")) as con:
            _copy_schema(self._con, con)
            for each in wanted:
                con.execute(f"CREATE INDEX {_TRIAL} ON {quote(each.table)} ({quote(each.column)})")
                with suppress(sqlite3.Error):
                    if any(_TRIAL in detail for detail in self._planned(con)):
                        yield each
                con.execute(f"DROP INDEX {_TRIAL}")

    def _wanted(self) -> Iterator[Missing]:
        """Columns by which rows are looked for in tables that the plan reads whole."""
        for detail in self.details:
            match = _WHOLE.match(detail) or _AUTOMATIC.match(detail)
            table = self.tables.get(match[1].lower()) if match else None
            if match is None or table is None:
                continue
            for column in self._compared.columns.get(match[1].lower(), ()):
                if not _is_indexed(self._con, table, column):
                    yield Missing(table, column)


_NAME: Final = r"(?:TABLE )?(\S+)"
_WHOLE: Final = re.compile(rf"SCAN {_NAME}(?: USING (?:COVERING )?INDEX \S+)?$")
_AUTOMATIC: Final = re.compile(
    rf"SEARCH {_NAME} USING AUTOMATIC (?:PARTIAL )?(?:COVERING )?INDEX \((.*?)=\?.*\)"
)


def _table(plan: SqlitePlan, match: re.Match[str]) -> str:
    return plan.tables.get(match[1].lower(), match[1])


def _scan(plan: SqlitePlan, match: re.Match[str]) -> str:
    table = plan.tables.get(match[1].lower())
    return f"reads {plan.rows(table)} of {table}" if table else f"reads all rows of {match[1]}"


def _scan_by_index(plan: SqlitePlan, match: re.Match[str]) -> str:
    return f"{_scan(plan, match)}, through the index {match[2]}"


def _automatic(plan: SqlitePlan, match: re.Match[str]) -> str:
    return (
        f"makes an index of {_table(plan, match)} on {match[2]} for this run alone,"
        " and throws it away afterwards"
    )


def _search(plan: SqlitePlan, match: re.Match[str]) -> str:
    return f"finds rows of {_table(plan, match)} by the index {match[2]} ({_terms(match[3])})"


def _by_key(plan: SqlitePlan, match: re.Match[str]) -> str:
    return f"finds rows of {_table(plan, match)} by the primary key ({_terms(match[2])})"


def _terms(text: str) -> str:
    return ", ".join(re.split(r"[=<>]", each)[0] for each in text.split(" AND "))


_Say = Callable[[SqlitePlan, re.Match[str]], str] | str

# The first that matches the beginning of a step; "" says nothing of it, {0} is the first group.
_RULES: Final[tuple[tuple[re.Pattern[str], _Say], ...]] = tuple(
    (re.compile(pattern), say)
    for pattern, say in (
        (_AUTOMATIC.pattern, _automatic),
        (r"SCAN (?:\d+ )?CONSTANT ROW", ""),
        (rf"SCAN {_NAME} VIRTUAL TABLE", "asks the virtual table {0}"),
        (rf"SCAN {_NAME} USING (?:COVERING )?INDEX (\S+)", _scan_by_index),
        (rf"SCAN {_NAME}", _scan),
        (rf"SEARCH {_NAME} USING (?:INTEGER )?PRIMARY KEY \((.*)\)", _by_key),
        (rf"SEARCH {_NAME} USING (?:COVERING )?INDEX (\S+) \((.*)\)", _search),
        (r"USE TEMP B-TREE FOR .*ORDER BY", "sorts the rows"),
        (r"USE TEMP B-TREE FOR GROUP BY", "sorts the rows to group them"),
        (r"USE TEMP B-TREE FOR .*DISTINCT", "keeps all different values in a temporary table"),
        (r"CORRELATED (?:SCALAR|LIST) SUBQUERY", "runs the following once for each row found so far"),
        (r"(?:SCALAR|LIST) SUBQUERY", "runs the following once, as a subquery"),
        (r"MATERIALIZE (\S+)", "makes a temporary table of {0} by the following"),
        (r"CO-ROUTINE (\S+)", "takes the rows of {0} one by one from the following"),
        (r"MULTI-INDEX OR", "looks by several indexes, one for each part of the OR"),
        (r"UNION USING TEMP B-TREE", "takes out rows that are twice"),
        (r"(?:EXCEPT|INTERSECT) USING TEMP B-TREE", "compares with rows kept in a temporary table"),
        (r"BLOOM FILTER ON (\S+)", "passes over rows of {0} that cannot match"),
        (r"COMPOUND QUERY|LEFT-MOST SUBQUERY|UNION ALL|INDEX \d+|MERGE|LEFT|RIGHT|SETUP|RECURSIVE", ""),
    )
)


def _with_advice(
    sentence: str, match: re.Match[str], tables: Mapping[str, str], missing: list[Missing]
) -> str:
    table = tables.get(match[1].lower()) if match.groups() and match[1] else None
    whole = _WHOLE.match(match.string) or _AUTOMATIC.match(match.string)
    columns = [each.column for each in missing if each.table == table] if whole else []
    if not columns:
        return sentence
    return f"{sentence}; an index on {' or '.join(columns)} would let SQLite find those it needs"


def _is_indexed(con: sqlite3.Connection, table: str, column: str) -> bool:
    leading = con.execute(
        "SELECT count(*) FROM pragma_index_list(?) AS i, pragma_index_info(i.name) AS c"
        " WHERE c.seqno = 0 AND lower(c.name) = lower(?) AND NOT i.partial",
        (table, column),
    ).fetchone()[0]
    return bool(leading)


def _copy_schema(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Make the same tables, indexes and statistics, without rows; what cannot be made is left out."""
    rows = source.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND type <> 'trigger'"
        " AND name NOT LIKE 'sqlite_%' ORDER BY type = 'view', type = 'index', rowid"
    ).fetchall()
    for (sql,) in rows:
        with suppress(sqlite3.Error):
            target.execute(sql)
    with suppress(sqlite3.Error):
        statistics = source.execute("SELECT tbl, idx, stat FROM sqlite_stat1").fetchall()
        target.execute("ANALYZE")
        target.executemany("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", statistics)
        target.execute("ANALYZE sqlite_schema")
