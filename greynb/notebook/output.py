"""Handing a cell's results to the shell: shown, assigned, or both; and where each frame came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

import pandas as pd
from IPython.core.display_functions import display

from greynb.databases.provenance import provenance
from greynb.databases.sqltext import parameter_names, split_statements
from greynb.notebook import exporting, extras
from greynb.notebook.display import DisplayTable, Notes
from greynb.notebook.sources import publish_sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

    from greynb.databases.result import Result
    from greynb.notebook.cells import Outcome
    from greynb.notebook.config import Greynb
    from greynb.notebook.options import CellOptions

NO_ROWS = "no statement of the cell gave rows; {name} was not changed"
ROLLED_BACK = "dry run: everything was rolled back"


def deliver(
    shell: InteractiveShell, outcome: Outcome, options: CellOptions, config: Greynb, *, in_line: bool = False
) -> pd.DataFrame | None:
    """Show or assign what a cell gave.

    The last result with rows is the cell's value. It is returned, so that the shell shows it and keeps it as
    ``_``; with a name it is assigned instead. Every other result is shown.

    Files that the options name are written first, so that what is shown can say so. Where that fails, the
    value is shown or assigned all the same, and the error comes after it. What else the options ask for comes
    below the value, but above that of a line, which the line's code may take.

    Returns
    -------
    DataFrame or None
        The cell's value, unless it was only assigned.
    """
    _remember_origin(outcome)
    if config.record:
        publish_sources(each.frame for each in outcome.results if each.frame is not None)
    value = next((each for each in reversed(outcome.results) if each.frame is not None), None)
    said, failed = exporting.export_value(None if value is None else value.frame, options, config)
    shown = _deliver(shell, outcome, options, config, value, said)
    if shown is not None and (failed is not None or (extras.wanted(options) and not in_line)):
        shell.displayhook(shown)
        shown = None
    failed = failed or extras.show(None if value is None else value.frame, options, config)
    if failed is not None:
        raise failed
    return shown


def _deliver(
    shell: InteractiveShell,
    outcome: Outcome,
    options: CellOptions,
    config: Greynb,
    value: Result | None,
    said: tuple[str, ...],
) -> pd.DataFrame | None:
    rows = config.rows if options.rows is None else options.rows
    for result in _annotated(outcome, options, value, said):
        if result.frame is None or value is None or result.frame is not value.frame:
            display(_table(outcome, result, rows))  # type: ignore[no-untyped-call]  # IPython's own
        elif options.name is None or options.show:
            _Shown.on(shell).next(value.frame, _table(outcome, replace(result, frame=None), rows))
        elif options.explore:
            display(_table(outcome, result, rows))  # type: ignore[no-untyped-call]
        elif result.notices:
            # What is said once must be seen, also where the rows are not shown.
            display(Notes(result.notices))  # type: ignore[no-untyped-call]
    if value is None:
        return None
    if options.name is not None:
        shell.user_ns[options.name] = value.frame
    return value.frame if options.name is None or options.show else None


def stop_showing(shell: InteractiveShell) -> None:
    """Take away what shows a cell's own result with its footer."""
    if (shown := _shown.pop(shell, None)) is not None:
        shown.remove()


def _annotated(
    outcome: Outcome, options: CellOptions, value: Result | None, said: tuple[str, ...]
) -> list[Result]:
    """The results with what is said of the value on it, and of the cell as a whole on the last one."""
    notes = [ROLLED_BACK] if outcome.dry_run else []
    if options.name is not None and value is None:
        notes.append(NO_ROWS.format(name=options.name))
    results = [_noted(each, said) if each is value else each for each in outcome.results]
    return [*results[:-1], *(_noted(each, notes) for each in results[-1:])]


def _noted(result: Result, notes: Sequence[str]) -> Result:
    return replace(result, notices=(*result.notices, *notes)) if notes else result


def _table(outcome: Outcome, result: Result, rows: int) -> DisplayTable:
    route = outcome.route
    return DisplayTable(result, route.role, route.name, outcome.snapshot, rows, outcome.reading)


def _remember_origin(outcome: Outcome) -> None:
    for result, sql, parameters in zip(outcome.results, *_statements(outcome), strict=True):
        if result.frame is not None:
            result.frame.attrs["greynb"] = provenance(
                sql=sql,
                parameters=parameters,
                role=outcome.route.role,
                file=outcome.route.place,
                snapshot=outcome.snapshot,
                rows=len(result.frame),
                columns=list(map(str, result.frame.columns)),
                seconds=result.seconds,
                setup=result.setup,
                frames=result.frames,
                kept=result.kept,
            )


def _statements(outcome: Outcome) -> tuple[list[str], list[Mapping[str, object]]]:
    """The text of each statement as it was written, and the variables that it names."""
    if len(outcome.results) == 1:
        return [outcome.sql.strip()], [outcome.parameters]
    dialect = outcome.route.dialect
    written = [statement.text for statement in split_statements(outcome.sql, dialect)]
    names = [parameter_names(each, dialect) for each in written]
    return written, [{name: outcome.parameters[name] for name in each} for each in names]


class _Shown:
    """Shows the frame that a magic has just returned as its result table, once; other frames as usual.

    The shell shows what a magic returns, and a DataFrame must stay a plain DataFrame. So one formatter for
    DataFrames is added, which speaks only for the one object that was returned last.

    The shell also asks a frame for pictures and the like, by methods that a frame looks for among its
    columns before it has none. Asking the class gives the same answers, 0.1 ms sooner.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        formatter = shell.display_formatter
        assert formatter is not None
        self._formatter = formatter.mimebundle_formatter
        self._before = self._formatter.for_type(pd.DataFrame, self._bundle)
        others = [
            each for kind, each in formatter.formatters.items() if kind not in ("text/plain", "text/html")
        ]
        self._asking = [
            each for each in (formatter.ipython_display_formatter, *others) if pd.DataFrame not in each
        ]
        for each in self._asking:
            each.for_type(pd.DataFrame, _AskClass(each.print_method))
        self._frame: ref[pd.DataFrame] | None = None
        self._table: DisplayTable | None = None

    @classmethod
    def on(cls, shell: InteractiveShell) -> _Shown:
        if shell not in _shown:
            _shown[shell] = cls(shell)
        return _shown[shell]

    def next(self, frame: pd.DataFrame, table: DisplayTable) -> None:
        self._frame, self._table = ref(frame), table

    def remove(self) -> None:
        if self._before is None:
            self._formatter.pop(pd.DataFrame, None)
        else:
            self._formatter.for_type(pd.DataFrame, self._before)
        for each in self._asking:
            if isinstance(each.for_type(pd.DataFrame), _AskClass):
                each.pop(pd.DataFrame)

    def _bundle(self, frame: pd.DataFrame, include: Any = None, exclude: Any = None) -> Any:
        frame_of, table = self._frame, self._table
        self._frame = self._table = None
        if frame_of is not None and frame_of() is frame and table is not None:
            return replace(table, result=replace(table.result, frame=frame))._repr_mimebundle_()
        return self._before(frame, include, exclude) if self._before is not None else None


class _AskClass:
    """A formatter for DataFrames: what the class's own method says, if it has one.

    Else it raises what the shell takes for no answer: of `_ipython_display_` it would take None for one.
    """

    def __init__(self, method: str) -> None:
        self._method = method

    def __call__(self, frame: pd.DataFrame) -> Any:
        method = getattr(type(frame), self._method, None)
        if method is None:
            raise NotImplementedError
        return method(frame)


_shown: WeakKeyDictionary[InteractiveShell, _Shown] = WeakKeyDictionary()
