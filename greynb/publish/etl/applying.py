"""Applying a plan to a publication's private copy: one transaction up to the contracts, then tidying up."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from greynb.databases.copying import connect
from greynb.databases.identifiers import fold, quote
from greynb.databases.sqlite import atomic, file_error
from greynb.errors import PublishError, QueryError
from greynb.publish.etl.contracts import Copy, check
from greynb.publish.etl.plan import Plan
from greynb.publish.etl.report import EtlReport
from greynb.publish.etl.tables import Notice, find, find_column, leave_out, leave_out_columns, relations
from greynb.publish.etl.transforms import run_transforms
from greynb.publish.etl.watching import Watch
from greynb.publish.etl.wishes import fulfil

# The part of the whole that each step roughly takes.
_PARTS: Final = {
    "tables": 0.05,
    "transforms": 0.25,
    "columns": 0.1,
    "types": 0.2,
    "indexes": 0.1,
    "contracts": 0.1,
    "vacuum": 0.15,
    "analyze": 0.05,
}
_CACHE_KIB: Final = 65_536


def apply(
    path: Path,
    plan: Plan,
    *,
    progress: Callable[[float], None] | None = None,
    now: datetime | None = None,
) -> EtlReport:
    """Make a private copy what the plan says.

    Tables and views are left out, transforms run, columns are dropped, types given, indexes made and
    contracts checked, in this order and in one transaction; then the file is vacuumed and analysed. An error
    or an interrupt leaves the copy as it was or half tidied up: whoever made it throws it away.

    Parameters
    ----------
    path
        The copy, in ``journal_mode=DELETE``, that nobody else has open.
    plan
        From `load_plan`.
    progress
        Told the part done, 0 to 1; may raise to stop.
    now
        What the age of values is counted to; with a zone. The present time without it.

    Raises
    ------
    PublishError
        The plan does not fit the data, a transform failed or a contract is broken.
    """
    watch = Watch(progress)
    work = _Work(plan, watch, now or datetime.now(UTC))
    try:
        with closing(connect(path, "rw")) as con, watch.over(con):
            return work.done(con)
    except sqlite3.Error as error:
        known = file_error(error, path, 0)
        message = str(error) if isinstance(known, QueryError) else known.message
        raise PublishError(f"the plan {plan.file} could not be applied: {message}") from error


@dataclass
class _Work:
    plan: Plan
    watch: Watch
    now: datetime
    notices: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    def done(self, con: sqlite3.Connection) -> EtlReport:
        plan, notice = self.plan, self.notices.append
        _prepare(con, plan)
        with atomic(con):
            with self._step("tables"):
                dropped = leave_out(con, plan, notice)
            with self._step("transforms"):
                transforms = run_transforms(con, plan, self.watch, _PARTS["transforms"])
            with self._step("columns"):
                columns = leave_out_columns(con, plan, notice)
            with self._step("types"):
                wishes = fulfil(con, plan, self.watch, notice)
            with self._step("indexes"):
                indexes = _make_indexes(con, plan, notice)
            with self._step("contracts"):
                gone = frozenset(fold(name) for name in dropped)
                contracts = check(Copy(con, self.now, gone, self.watch), plan)
        self._tidy_up(con)
        tables = tuple(relations(con))
        return EtlReport(
            plan.file,
            tables,
            dropped,
            columns,
            transforms,
            wishes,
            indexes,
            contracts,
            tuple(self.notices),
            self.seconds,
        )

    def _tidy_up(self, con: sqlite3.Connection) -> None:
        if self.plan.vacuum:
            with self._step("vacuum"):
                con.execute("VACUUM")
        if self.plan.analyze:
            with self._step("analyze"):
                self._analyze(con)

    def _analyze(self, con: sqlite3.Connection) -> None:
        """Give SQLite's planner its statistics; an unknown collation or module is no reason to stop."""
        try:
            con.execute("PRAGMA analysis_limit = 1000").fetchone()
            con.execute("ANALYZE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_ERROR:
                raise
            self.notices.append(f"no statistics for the query planner: {error}")

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        begun, told = time.perf_counter(), self.watch.fraction
        yield
        self.seconds[name] = time.perf_counter() - begun
        self.watch.told(min(1.0, told + _PARTS[name]))


def _prepare(con: sqlite3.Connection, plan: Plan) -> None:
    # Texts of other encodings must not stop the publication.
    con.text_factory = lambda text: text.decode("utf-8", "replace")
    con.execute("PRAGMA foreign_keys = OFF")  # dropping a table must not delete rows of others
    con.execute("PRAGMA synchronous = OFF")  # a private copy: what a crash leaves is thrown away
    con.execute("PRAGMA trusted_schema = OFF")
    con.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    if not plan.vacuum:
        # What was left out must not stay readable in free pages.
        con.execute("PRAGMA secure_delete = ON").fetchone()


def _make_indexes(con: sqlite3.Connection, plan: Plan, notice: Notice) -> tuple[str, ...]:
    made = []
    found = relations(con) if plan.indexes else {}
    for table, wanted in plan.indexes:
        by = f"{plan.file.name}: indexes"
        relation = find(found, table, by)
        if relation.kind != "table":
            raise PublishError(f"{by}: {relation.name} is a {relation.kind}, which has no index")
        columns = [find_column(relation, column, by).name for column in wanted]
        if (there := _covering(con, relation.name, columns)) is not None:
            notice(f"no index on {relation.name} ({', '.join(columns)}) was made: {there} does the same")
            continue
        name = _free_name(con, "_".join(["greynb", relation.name, *columns]))
        listed = ", ".join(quote(column) for column in columns)
        con.execute(f"CREATE INDEX {quote(name)} ON {quote(relation.name)} ({listed})")
        made.append(name)
    return tuple(made)


def _covering(con: sqlite3.Connection, table: str, columns: list[str]) -> str | None:
    """Name an index that begins with the columns and holds every row."""
    for (name,) in con.execute(
        "SELECT name FROM pragma_index_list(?) WHERE NOT partial ORDER BY seq", (table,)
    ).fetchall():
        keys = con.execute(
            "SELECT name FROM pragma_index_xinfo(?)"
            " WHERE key AND coll = 'BINARY' AND NOT \"desc\" ORDER BY seqno",
            (name,),
        ).fetchall()
        if [key for (key,) in keys[: len(columns)]] == columns:
            return str(name)
    return None


def _free_name(con: sqlite3.Connection, name: str) -> str:
    taken = {fold(each) for (each,) in con.execute("SELECT name FROM sqlite_schema")}
    number, free = 1, name
    while fold(free) in taken:
        number += 1
        free = f"{name}_{number}"
    return free
