"""What is shown of a name at a glance, as plain text, and the SQL that finds it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.notebook.values import is_null, on_one_line, text_of

if TYPE_CHECKING:
    from greynb.completion.functions import Function
    from greynb.databases.outline import Column, Table

_VALUES: Final = 5
_SAMPLE: Final = 3
_WIDTH: Final = 32
_UNKNOWN: Final = "no values: reading them takes too long, or something else runs"


def column_sql(table: str, column: str, rows: int) -> str:
    """Count a column's rows and NULLs, and find the commonest values among the first `rows` that have one."""
    name, source = quote(column), quote(table)
    return (
        f"SELECT count(*) AS rows_, count(*) - count({name}) AS nulls FROM {source};"
        f" SELECT v, count(*) AS n FROM (SELECT {name} AS v FROM {source} WHERE {name} IS NOT NULL"
        f" LIMIT {rows}) AS s GROUP BY v ORDER BY n DESC, v LIMIT {_VALUES}"
    )


def table_sql(table: str, columns: Iterable[str]) -> str:
    """Count a table's rows and the NULLs of each column, and take some rows."""
    nulls = "".join(f", count(*) - count({quote(each)})" for each in columns)
    return f"SELECT count(*){nulls} FROM {quote(table)}; SELECT * FROM {quote(table)} LIMIT {_SAMPLE}"


def of_column(table: Table, column: Column, counted: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """Say of a column what its type is, how many NULLs it has, and its commonest values.

    Parameters
    ----------
    table, column
        The column.
    counted
        Rows and NULLs; empty where they are not known.
    rows
        Values with how often each was seen.
    """
    head = f"{on_one_line(table.name)}.{on_one_line(column.name)}  {column.type or 'no declared type'}"
    if not counted:
        return f"{head}\n{_UNKNOWN}"
    total, nulls = map(int, counted)
    shown = ", ".join(f"{_text(value, column.type)} ({int(count):,}×)" for value, count in rows)
    return f"{head}\n{_rows(total)}, {_nulls(nulls, total)}\nvalues: {shown or 'none'}"


def of_table(table: Table, counted: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """Say of a table what its columns are, with their NULLs and some values.

    Parameters
    ----------
    table
        The table.
    counted
        Rows, then the NULLs of each column; empty where they are not known.
    rows
        Some of its rows.
    """
    total = f" · {_rows(int(counted[0]))}" if counted else f" · {_UNKNOWN}"
    name = max((len(on_one_line(each.name)) for each in table.columns), default=0)
    kind = max((len(each.type) for each in table.columns), default=0)
    lines = [f"{on_one_line(table.name)}  {table.kind}{total}"]
    for number, column in enumerate(table.columns):
        nulls = _nulls(int(counted[number + 1]), int(counted[0])) if counted else ""
        values = ", ".join(_text(row[number], column.type) for row in rows)
        line = f"  {on_one_line(column.name):<{name}}  {column.type:<{kind}}  {nulls:<18}  {values}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def of_function(function: Function) -> str:
    """Say of a function how it is called, and what the engine says that it does."""
    calls = [f"{function.name}{signature}" for signature in function.signatures]
    return "\n".join([*calls, f"{function.kind} function", *filter(None, [function.description])])


def of_variable(name: str, value: object) -> str:
    """Say of a variable what it holds; of a DataFrame its columns."""
    from greynb.completion.notebook_names import frame_columns, kind_of
    from greynb.databases.notebook_frames import is_frame

    if not is_frame(value):
        return f":{name}  {kind_of(value)}\n{_cut(repr(value), 200)}"
    columns = frame_columns(value)
    width = max((len(column) for column, _ in columns), default=0)
    rows = f" · {_rows(len(value))}" if hasattr(value, "__len__") else ""
    lines = [f"  {on_one_line(column):<{width}}  {kind}" for column, kind in columns]
    return "\n".join([f"{name}  {kind_of(value)}{rows}", *lines])


def _text(value: Any, kind: str) -> str:
    return "NULL" if is_null(value) else _cut(on_one_line(text_of(value, kind)), _WIDTH)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _rows(count: int) -> str:
    return f"{count:,} row{'' if count == 1 else 's'}"


def _nulls(count: int, total: int) -> str:
    if not count:
        return "no NULLs"
    share = f"{count / total:.0%}".replace("%", " %")
    return f"{count:,} NULL{'' if count == 1 else 's'} ({share})"
