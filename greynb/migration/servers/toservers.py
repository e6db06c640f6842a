"""Carrying out a migration from a SQLite file to PostgreSQL, and from there to analytics."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greynb import published
from greynb.databases.copying import check_space, remove_database, size_with_log
from greynb.databases.identifiers import quote
from greynb.errors import DatabaseError, PublishError, UsageError
from greynb.migration.contents import Content, changed_since, copy, differing
from greynb.migration.journal import Journal, State, migrating
from greynb.migration.migrated import Migrated
from greynb.migration.servers.bringing import bring
from greynb.migration.servers.comparing import hash_of
from greynb.migration.servers.derived import formatted, is_as_it_was
from greynb.migration.servers.record import Record, read_record, there
from greynb.migration.servers.serversplan import ToServers
from greynb.migration.servers.session import writing
from greynb.migration.servers.sqliteschema import read_schema
from greynb.migration.switching import switch
from greynb.postgres.snapshot import ServerLook, look
from greynb.publish.outside import look_before_copying
from greynb.publish.steps import Progress, Steps

if TYPE_CHECKING:
    import psycopg


def to_servers(plan: ToServers, *, progress: Progress | None = None) -> Migrated[ToServers]:
    """Carry a plan out.

    All tables are made, filled and compared in one transaction of the server: a kill leaves all of them or
    none, and the next run goes on. The file is only read. The ``.env`` file is changed last.

    Parameters
    ----------
    plan
        What to do.
    progress
        Called with the step's name and the fraction of it that is done; may raise to stop.

    Raises
    ------
    UsageError
        PostgreSQL cannot hold what is in the file, or holds something else under these names.
    DatabaseError, PublishError
        A database cannot be reached or read, holds not what was copied, or there is too little space.
    """
    if plan.already:
        return Migrated(plan, True, notices=tuple(plan.notices()))
    with migrating(plan.source.with_name(f"{plan.source.name}.to-servers")) as journal:
        return _Work(plan, journal, Steps(progress)).done()


@dataclass(slots=True)
class _Work:
    plan: ToServers
    journal: Journal
    steps: Steps
    tables: int = 0
    lefts: tuple[str, ...] = ()
    notices: list[str] = field(default_factory=list)

    def done(self) -> Migrated[ToServers]:
        plan = self.plan
        state = self._copied()
        version = self._published()
        state = self.journal.write(state.at("verified"))
        with self.steps.step("check"):
            self._check_still(state)
        with self.steps.step("env"):
            kept = switch(plan.env_file, plan.variables)
        self.journal.write(state.at("done"))
        self.notices += plan.notices()
        lefts = tuple(each for each in self.lefts if each not in plan.trial.lefts)
        return Migrated(plan, False, self.tables, version, kept, lefts, tuple(self.notices))

    def _copied(self) -> State:
        """Have what the file holds now in the server, by an earlier run or this one."""
        plan, path = self.plan, self.journal.copy
        check_space(self.journal.folder, size_with_log(plan.source.resolve()))
        remove_database(path)
        told = self.steps.progress or (lambda _step, _part: None)
        try:
            seen = look_before_copying(plan.source)
            content = copy(
                plan.source, path, lambda part: told("copy", part), lambda part: told("hash", part)
            )
            with closing(sqlite3.connect(path, isolation_level=None)) as lite:
                server = self._brought(lite, content)
        finally:
            remove_database(path)
        analytics = str(plan.analytics.place)
        identity = int(server.system), server.oid
        before = seen.to_json() if seen else None
        return self.journal.write(
            State(str(plan.source), plan.server.name, analytics, identity, content, before, "copied")
        )

    def _brought(self, lite: sqlite3.Connection, content: Content) -> ServerLook:
        plan = self.plan
        schema = read_schema(lite)
        self.tables = len(schema.tables)
        wanted = {each.name: content[each.name] for each in schema.tables}
        with writing(plan.server) as con:
            record = read_record(con)
            if record is None or record.source != str(plan.source) or not self._there(con, record, wanted):
                lefts, notices = bring(con, lite, schema, content, plan.source, self.steps)
                self.lefts = tuple(map(str, lefts))
                self.notices += notices
            seen = look(con)
            with self.steps.step("commit"):
                con.commit()
        return seen

    def _there(self, con: psycopg.Connection[Any], record: Record, wanted: Content) -> bool:
        """Whether an earlier run brought what the file holds now; what it brought of before is removed."""
        names = there(con, record)
        if not names:
            return False
        # What is compared is what is dropped.
        con.execute(f"LOCK TABLE {', '.join(map(quote, names))} IN SHARE MODE")
        columns = formatted(con)
        same = {name for name in names if is_as_it_was(columns.get(name), record.tables[name])}
        with self.steps.step("compare"):
            now = {name: hash_of(con, name, record.tables[name]) if name in same else None for name in names}
        if now == wanted:
            return True
        before = self.journal.read()
        used = before is not None and before.stage == "done" and before.target == self.plan.server.name
        if not used and all(now[name] == record.content[name] for name in names):
            _drop(con, record, names)  # our own copy, which nobody has used
            return False
        raise UsageError(
            "the database holds an earlier migration of this file, which differs from what it holds now",
            detail=f"differing: {', '.join(differing(now, wanted)[:5])}",
            path=self.plan.server.name,
            hint="choose another database, or drop those tables there and the schema greynb_migration",
        )

    def _published(self) -> str:
        plan = self.plan
        done = published.sync(plan.staging, plan.analytics, verify=True, progress=self.steps.progress)
        found = published.verify(plan.staging, plan.analytics, self.steps.progress)
        if not found.equal:
            raise PublishError(
                "analytics does not hold what staging does", detail=str(found), path=str(plan.analytics.place)
            )
        self.notices += done.notices
        return done.id

    def _check_still(self, state: State) -> None:
        """Refuse to switch where somebody went on writing to the file."""
        different = changed_since(self.plan.source, state.content, state.seen)
        if different:
            listed = ", ".join(different[:5])
            raise DatabaseError(
                f"the file was written to after it was copied ({listed}): nothing was switched",
                role="staging",
                path=self.plan.source,
                hint="stop the program that writes there, then run the same command again: it copies anew",
            )


def _drop(con: psycopg.Connection[Any], record: Record, names: list[str]) -> None:
    """Drop what was migrated, but not what somebody made of it since."""
    from psycopg import errors

    views = [quote(name) for kind, name, _, _ in record.statements if kind == "view"]
    try:
        for view in reversed(views):  # a later one may read an earlier one
            con.execute(f"DROP VIEW IF EXISTS {view}")
        con.execute(f"DROP TABLE {', '.join(map(quote, names))}")
    except errors.DependentObjectsStillExist as error:
        raise UsageError(
            "the tables of an earlier run are to be copied anew, and something there was made of them",
            detail=error.diag.message_detail,
            hint="drop that first, or choose another database",
        ) from error
