"""``%greynb …``: what the roles are, which tables there are, and publishing, from a cell."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from greynb.connections import analytics_session
from greynb.errors import GreynbError, QueryInterrupted, UsageError
from greynb.locating import located
from greynb.notebook import execution, exporting, formatting, logged, publishing, upkeep, versions
from greynb.overview import Status, status
from greynb.routing import Settings

if TYPE_CHECKING:
    import pandas as pd

    from greynb.columnar import MirrorStatus
    from greynb.databases.reading import CellSession
    from greynb.databases.reports import ColumnReport
    from greynb.notebook.config import Greynb
    from greynb.publish.changeset import Changes

T = TypeVar("T")

HELP = """\
%%analytics [NAME] [-n ROWS] [--show] [--no-cache]  SQL on analytics: read-only, DuckDB
%%staging   [NAME] [-n ROWS] [--show] [--dry-run]   SQL on staging: one transaction, SQLite
%analytics SQL, %staging SQL                        the same in one line; df = %analytics SQL
    NAME, NAME <<, -o NAME   assign the result and do not show it (--show or NAME= << does both)
    :name                    the notebook's variable as a bound value; IN (:names) takes a list
    FROM df                  a DataFrame of the notebook as a table (analytics)
    --profile, --explore     columns in figures; a table to sort and filter in
    --plot line|bar|scatter|hist [x=COLUMN] [y=COLUMN] [color=COLUMN]
    --export PATH [--force]  write all rows to .csv .parquet .json .md .html .xlsx .tex; may be repeated
%greynb export NAME PATH… [--force] [--keep-formulas]  the same for a DataFrame of the notebook
%staging load FRAME --into TABLE [--key COLUMN,…] [--on-conflict error|ignore|update] [--create]
%greynb status             which file serves each role, and who chose it
%greynb doctor [--fix]     what is wrong with both databases, and what mends it
%greynb why [MESSAGE]      what the last error means, or the message that is given
%greynb tables             the tables of analytics
%greynb columns TABLE      declared and chosen type of each column, and what widened it
%greynb sync [--mode full|incremental|etl] [--dry-run] [--verify] [--keep N]
                           publish staging to analytics
%greynb history            the versions of analytics that are there
%greynb rollback [VERSION] publish an older version again
%greynb changes [V1 V2] [--table T]  what changed between two versions
%greynb verify [FILE…]     compare analytics with staging, or a report's numbers with the data
%greynb mirror [build|drop] the columnar mirror from which cells read
%greynb log [-n N]         the statements that cells ran (%config Greynb.log = True)
%greynb slow [--explain N] those that took the longest, and why
%greynb profile TABLE      types, NULLs, different values, range and spread of each column (or of a DataFrame)
%greynb format [SQL]       the last SQL cell, laid out anew, as the next cell; or the SQL given
%greynb pin [VERSION]      keep the cells to one version; unpin goes back to the newest
%config Greynb             rows shown, progress, waiting time, tracebacks"""


class Help(str):
    """Text that shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def run(line: str, variables: Mapping[str, Any], config: Greynb) -> object:
    """Run one ``%greynb`` command and return what it shows.

    `variables` are the notebook's, for the command that takes one of its frames.

    Raises
    ------
    UsageError
        There is no such command, or its words are off.
    """
    if line.split(None, 1)[:1] == ["format"]:  # SQL is no shell's words
        return formatting.formatted(line.removeprefix("format").strip())
    try:
        words = shlex.split(line) or ["help"]
    except ValueError as error:
        raise UsageError(f"%greynb {line}: {error}", hint="close the quotes") from error
    if words[0] in _ON_VARIABLES:
        return _ON_VARIABLES[words[0]](words[1:], variables, config)
    command = _COMMANDS.get(words[0])
    if command is None:
        known = [*_COMMANDS, *_ON_VARIABLES, "format"]
        if words[0] in _IN_A_TERMINAL:
            raise UsageError(f"{words[0]} is a command of the terminal", hint=f"!greynb {line}")
        close = get_close_matches(words[0], known, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        raise UsageError(f"%greynb has no command {words[0]!r}{meant}", hint="commands: " + ", ".join(known))
    return command(words[1:], config)


def _profile(words: Sequence[str], variables: Mapping[str, Any], config: Greynb) -> object:
    from greynb.notebook.profiles import profile_named

    return profile_named(words, variables, config)


def _status(words: Sequence[str], _config: Greynb) -> Status:
    _expect(words, "status")
    return status()


def _help(words: Sequence[str], _config: Greynb) -> Help:
    return Help(HELP)


def _tables(words: Sequence[str], config: Greynb) -> pd.DataFrame:
    import pandas as pd

    _expect(words, "tables")
    reports = _on_analytics(lambda session: session.tables(), config)
    return pd.DataFrame(
        {
            "table": [each.name for each in reports],
            "kind": [each.kind for each in reports],
            "columns": [each.columns for each in reports],
            "rows": pd.array([each.rows for each in reports], dtype="Int64"),
            "note": [each.problem or "" for each in reports],
        }
    )


def _columns(words: Sequence[str], config: Greynb) -> pd.DataFrame:
    import pandas as pd

    (table,) = _expect(words, "columns", "TABLE")
    reports = _on_analytics(lambda session: _reported(session, table), config)
    return pd.DataFrame(
        {
            "column": [each.column for each in reports],
            "declared": [each.declared for each in reports],
            "type": [each.type for each in reports],
            "nulls": [each.nulls for each in reports],
            "widened": ["yes" if each.widened else "" for each in reports],
            "because of": [
                ", ".join(f"{value.storage} {value.value} ({value.count:,}×)" for value in each.forced_by)
                for each in reports
            ],
        }
    )


def _reported(session: CellSession, table: str) -> list[ColumnReport]:
    if table not in session.catalog:
        reports = {each.name: each for each in session.tables()}
        if table in reports:
            raise UsageError(
                f"{table} holds the live rows and the archived ones of a table",
                hint=f"its columns are that table's; `DESCRIBE {table}` in a cell shows their types here",
            )
        names = list(reports)
        close = get_close_matches(table, names, n=1)
        raise UsageError(
            f"analytics has no table {table!r}" + (f"; did you mean {close[0]}?" if close else ""),
            hint="`%greynb tables` lists them",
        )
    return session.catalog.columns(table)


def _on_analytics(ask: Callable[[CellSession], T], config: Greynb) -> T:
    """Ask about the newest version of analytics, interruptibly."""
    route = Settings.current().route("analytics")
    try:
        session = analytics_session(route)

        def task() -> T:
            session.refresh()
            return ask(session)

        return execution.run(
            task,
            interrupt=session.interrupt,
            progress=session.progress,
            show_progress=config.progress,
            label="analytics",
        )
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def _changes(words: Sequence[str], _config: Greynb) -> Changes | pd.DataFrame:
    from greynb import api

    usage = UsageError(
        "%greynb changes takes versions and a table", hint="%greynb changes [V1 V2] [--table T]"
    )
    names, table = list(words), None
    if "--table" in names:
        at = names.index("--table")
        _, *given = names[at : at + 2]
        if not given:
            raise usage
        (table,) = given
        del names[at : at + 2]
    if len(names) > 2 or any(name.startswith("-") for name in names):
        raise usage
    return api.changed_rows(table, *names) if table else api.changes(*names)


def _mirror(words: Sequence[str], config: Greynb) -> MirrorStatus | Help:
    from greynb import columnar

    action = words[0] if words else "status"
    if len(words) > 1 or action not in ("build", "status", "drop"):
        raise UsageError("%greynb mirror takes build, status or drop", hint="%greynb mirror [build|drop]")
    if action == "drop":
        return Help(f"{columnar.drop() / 1e6:,.1f} MB freed")
    if action == "status":
        return columnar.status()
    stop = threading.Event()

    def told(_part: float) -> None:
        if stop.is_set():
            raise QueryInterrupted("stopped while the mirror was built")

    return execution.run(
        lambda: columnar.build(told=told),
        interrupt=stop.set,
        progress=lambda: None,
        show_progress=config.progress,
        label="mirror",
    )


def _expect(words: Sequence[str], command: str, *names: str) -> Sequence[str]:
    if len(words) != len(names):
        raise UsageError(
            f"%greynb {command} takes {'no more words' if not names else ' '.join(names)}",
            hint=" ".join(["%greynb", command, *names]),
        )
    return words


_COMMANDS: dict[str, Callable[[Sequence[str], Greynb], object]] = {
    "status": _status,
    "tables": _tables,
    "columns": _columns,
    "sync": publishing.sync,
    "changes": _changes,
    "mirror": _mirror,
    **versions.COMMANDS,
    **upkeep.COMMANDS,
    **logged.COMMANDS,
    "help": _help,
}
_ON_VARIABLES: dict[str, Callable[[Sequence[str], Mapping[str, Any], Greynb], object]] = {
    "export": exporting.export,
    "profile": _profile,
}
_IN_A_TERMINAL = frozenset(
    "archive audit completion demo guard migrate optimize report restore route".split()
)
