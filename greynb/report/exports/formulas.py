"""Texts that a spreadsheet would run, made harmless in a CSV file in a way that can be undone.

A spreadsheet takes a field that begins with ``=``, ``+``, ``-`` or ``@`` (or their full-width forms) for a
formula, also behind white space and invisible characters, and some take a leading tab or line break as the
end of the field before (OWASP, "CSV injection"; CWE-1236). Such a text gets an apostrophe before it. A text
that is a plain number (``-5``, ``+1.5e3``) is no formula and stays.

So that it can be undone, a text that already has apostrophes before such a beginning gets one more: taking
one apostrophe off every text that is still of this kind without it gives back what was there.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from greynb.report.exports.texts import TEXT, join

_BEGINS = r"^['\s\x0b\x00\x{a0}\x{200b}\x{feff}]*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]|^'*[\t\r\n\x00]"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


def would_run(column: Any) -> Any:
    """Mark the texts that a spreadsheet may run; NULL counts as none."""
    begins = pc.match_substring_regex(column, _BEGINS)
    if not pc.any(begins).as_py():
        return pc.fill_null(begins, False)
    number = pc.match_substring_regex(column, _NUMBER)
    return pc.fill_null(pc.and_not(begins, number), False)


def neutralised(column: Any) -> tuple[Any, int]:
    """Give the texts with an apostrophe before those that a spreadsheet may run, and how many these are."""
    risky = would_run(column)
    count = pc.sum(risky).as_py() or 0
    return (pc.if_else(risky, join(["'", column]), column) if count else column), count


def restored(column: Any) -> Any:
    """Undo `neutralised`."""
    column = column.cast(TEXT)
    rest = pc.utf8_slice_codeunits(column, 1)
    prefixed = pc.and_(pc.fill_null(pc.starts_with(column, "'"), False), would_run(rest))
    return pc.if_else(prefixed, rest, column)


def neutralised_text(text: str) -> str:
    """Do the same to one text, such as a column's name."""
    return str(neutralised(pa.array([text], TEXT))[0][0])
