"""A table as aligned text that fits the terminal."""

from __future__ import annotations

import shutil
from typing import Any

from greynb.notebook.values import is_null, on_one_line, text_of, width_of

CELL = 40
"""Columns of the terminal that one value may take."""
_GAP = "  "


def table(names: list[str], types: list[str], columns: list[list[Any]], numeric: list[bool]) -> list[str]:
    """Give the lines of a table: names, engine types, a rule, the rows.

    Columns that do not fit the terminal's width are left out from the middle, where the table says how
    many. A text in quotes is text that would else be mistaken: empty, or ``NULL``.
    """
    grid = [
        _column(name, kind, values, right)
        for name, kind, values, right in zip(names, types, columns, numeric, strict=True)
    ]
    kept = _fitting([width_of(column[0]) for column in grid], shutil.get_terminal_size((120, 24)).columns)
    if kept < len(grid):
        left, right_side = (kept + 1) // 2, kept // 2
        height = len(grid[0])
        marker = [f"… {len(grid) - kept} more columns …"] + [""] * (height - 1)
        marker = [text.ljust(len(marker[0])) for text in marker]
        grid = [*grid[:left], marker, *(grid[-right_side:] if right_side else [])]
    return [_GAP.join(cells).rstrip() for cells in zip(*grid, strict=True)]


def folded(names: list[str], columns: list[list[Any]], numeric: list[bool]) -> list[str]:
    """Give the lines of a table without types, all its columns in it.

    Those that do not fit the terminal's width go on below, each time after the first column.
    """
    room = shutil.get_terminal_size((120, 24)).columns
    first = _column(names[0], "", columns[0], numeric[0])
    left = room - width_of(first[0]) - len(_GAP)
    parts = [[first]]
    for name, values, right in zip(names[1:], columns[1:], numeric[1:], strict=True):
        column = _column(name, "", values, right, max(left, CELL // 2))
        taken = sum(width_of(each[0]) + len(_GAP) for each in parts[-1])
        if len(parts[-1]) > 1 and taken + width_of(column[0]) > room:
            parts.append([first])
        parts[-1].append(column)
    lines = [[_GAP.join(cells).rstrip() for cells in zip(*part, strict=True)] for part in parts]
    return [line for head, _types, *rows in lines for line in ("", head, *rows)][1:]


def _column(name: str, kind: str, values: list[Any], right: bool, room: int = CELL) -> list[str]:
    cells = [on_one_line(name), on_one_line(kind), *(_text(value, kind) for value in values)]
    cells = [_cut(each, room) for each in cells]
    width = max(map(width_of, cells))
    padded = [_padded(cell, width, right) for cell in cells]
    return [*padded[:2], "─" * width, *padded[2:]]


def _text(value: Any, kind: str) -> str:
    if is_null(value):
        return "NULL"
    text = text_of(value, kind)
    return f"'{text}'" if text in ("", "NULL") else on_one_line(text)


def _cut(text: str, room: int) -> str:
    if width_of(text) <= room:
        return text
    kept, width = "", 1
    for char in text:
        width += width_of(char)
        if width > room:
            break
        kept += char
    return kept + "…"


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - width_of(text))
    return space + text if right else text + space


def _fitting(widths: list[int], room: int) -> int:
    """Count the columns that fit, taken in turn from the left and the right; at least two."""
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= room:
        return len(widths)
    room -= len("… 100 more columns …") + len(_GAP)
    order = sorted(range(len(widths)), key=lambda i: min(i, len(widths) - 1 - i + 0.5))
    kept = 0
    for i in order:
        room -= widths[i] + len(_GAP)
        if room < 0:
            break
        kept += 1
    return min(max(kept, 2), len(widths))
