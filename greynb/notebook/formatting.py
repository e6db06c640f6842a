"""The SQL of a cell laid out anew: for ``%greynb format`` and for Lab's command."""

from __future__ import annotations

import re
from typing import Final

from IPython.core.getipython import get_ipython

from greynb.errors import UsageError

_MAGIC: Final = re.compile(r"(?P<before>\s*)(?P<line>%%(?P<role>analytics|staging)(?!\w)(?P<rest>[^\n]*))\n?")


def format_sql(text: str) -> str:
    """Lay out the SQL of a cell, or bare SQL.

    Formatting twice changes nothing more. The engine sees the same statement: names, strings, parameters
    and comments stay as they are and where they are; keywords are written in capitals.

    Parameters
    ----------
    text
        A whole cell, with its ``%%analytics`` or ``%%staging`` line, or SQL of analytics without one.

    Returns
    -------
    str
        The text laid out. It is returned unchanged where it is no SQL of ours (another magic) and where
        SQL begins on the magic's own line.
    """
    from greynb.notebook.magiccells import dialect_of
    from greynb.sqlformat.layout import layout

    magic = _MAGIC.match(text)
    if magic is None:
        return text if text.lstrip().startswith("%") else layout(text, "duckdb")
    if _has_sql(magic["rest"], magic["role"]):
        return text
    sql = layout(text[magic.end() :], dialect_of(magic["role"]))
    return f"{magic['before']}{magic['line']}\n{sql}" if sql else text


def formatted(sql: str) -> Formatted | None:
    """Lay out SQL, or else the notebook's last SQL cell, which becomes the next cell.

    Raises
    ------
    UsageError
        No SQL cell has run yet.
    """
    if sql:
        return Formatted(format_sql(sql))
    shell = get_ipython()
    assert shell is not None and shell.history_manager is not None, "a magic runs in a shell"
    cells = [text for text in shell.history_manager.input_hist_raw if _MAGIC.match(text)]
    if not cells:
        raise UsageError(
            "no SQL cell has run yet: there is nothing to format", hint="%greynb format SELECT …"
        )
    shell.set_next_input(format_sql(cells[-1]))
    return None


class Formatted(str):
    """SQL that shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _has_sql(rest: str, role: str) -> bool:
    from greynb.notebook.options import parse

    try:
        return bool(parse(rest, body=True, staging=role == "staging").sql)
    except UsageError:
        return True  # not understood: not touched
