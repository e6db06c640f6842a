"""Notebooks: their Python cells as one module, their SQL and shell cells each by its own language.

Findings name the line of the ``.ipynb`` file, as editors and scanners need it, and the cell with its line.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from greynb.audit import shell, sqlfile
from greynb.audit.copies import VARIABLES
from greynb.audit.families.roles import Use, reader, writer
from greynb.audit.findings import Found, Place
from greynb.audit.locatedjson import Located, Source, located
from greynb.audit.python import reading
from greynb.audit.python.opening import category
from greynb.audit.sql import Dialect, is_sql
from greynb.audit.targets import looks_like_file
from greynb.routing.route import Role

_ROLES: dict[str, Role] = {"analytics": "analytics", "staging": "staging"}
_PLAIN = {"time", "timeit", "capture", "prun", "python", "python3"}  # cell magics over ordinary Python
_SHELLS = {"bash", "sh", "script", "!", "sx", "system"}
_ANALYTICS = "a %%analytics cell only reads"


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of code: its text, its line in the file, its cell and the line within the cell."""

    text: str
    line: int
    cell: tuple[int, int]


def check(text: str, path: str) -> Iterator[Found]:
    """Audit a notebook; `path` is for its name."""
    try:
        cells = located(text)
    except (ValueError, RecursionError) as error:
        yield Found(
            "not-checked", Place(1), f"this is no notebook that can be read: {error}", "open it in Jupyter"
        )
        return
    python: list[_Line] = []
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, Source):
            yield Found(
                "not-checked", Place(cell), f"cell {number} has no source that is text", "mend the cell"
            )
            continue
        lines = [_Line(part.text, part.line, (number, own)) for own, part in enumerate(_lines(cell), 1)]
        yield from _cell(lines, path, python)
    yield from _moved(reading.check("\n".join(each.text for each in python), path), python)


def _lines(cell: Source) -> Iterator[Located]:
    """The lines of a cell, whether it is stored as one text or as a list of lines."""
    for piece in cell.pieces:
        for line in piece.text.splitlines() or [""]:
            yield Located(line, piece.line)


def _cell(lines: list[_Line], path: str, python: list[_Line]) -> Iterator[Found]:
    begin = next((number for number, line in enumerate(lines) if line.text.strip()), len(lines))
    lines = lines[begin:]
    if not lines or not lines[0].text.startswith("%%"):
        yield from _python(lines, path, python)
        return
    name, _, rest = lines[0].text[2:].strip().partition(" ")
    if role := _ROLES.get(name):
        yield from _moved(_opened(role, path), lines)
        yield from _sql(role, rest, lines)
    elif name in _SHELLS:
        body = "\n".join(["", *(line.text for line in lines[1:])])
        yield from _moved(shell.check(body, path), lines)
    elif name in _PLAIN:
        yield from _python(lines[1:], path, python)


def _opened(role: Role, path: str) -> Iterator[Found]:
    """Whether a cell goes to the database that the notebook's name does not say."""
    script = category(path)
    use = Use(role, role == "analytics", f"%%{role}", Place(1))
    if script == "analytics" and role == "staging":
        yield reader(use, "error")
    elif script == "staging" and role == "analytics":
        yield writer(use, "warning")


def _sql(role: Role, rest: str, lines: list[_Line]) -> Iterator[Found]:
    head = rest if is_sql(rest) else ""
    sql = "\n".join([head, *(line.text for line in lines[1:])])
    dialect: Dialect = "duckdb" if role == "analytics" else "sqlite"
    yield from _moved(sqlfile.check_sql(sql, 0, dialect, role, _ANALYTICS), lines)


def _python(lines: list[_Line], path: str, python: list[_Line]) -> Iterator[Found]:
    """Keep the Python of a cell for the notebook's module; lines of magics are read here."""
    kept: list[_Line] = []
    for line in lines:
        stripped = line.text.strip()
        magic = _magic(stripped)
        if magic is None:
            kept.append(line)
            continue
        indent = line.text[: len(line.text) - len(line.text.lstrip())]
        kept.append(replace(line, text=f"{indent}pass"))
        yield from _moved(_ran(*magic, path), [line])
    try:
        reading.parse("\n".join(line.text for line in kept))
    except (SyntaxError, ValueError) as error:
        yield from _moved([reading.unread(error)], kept or lines)
    else:
        python += kept


def _magic(line: str) -> tuple[str, str] | None:
    """A line magic or shell call of a line: ``%name rest``, ``x = %name rest``, ``!command``."""
    before, sign, after = line.partition("=")
    if sign and before.strip().isidentifier() and after.strip()[:1] in ("%", "!"):
        line = after.strip()
    if line.startswith("!"):
        return "!", line.lstrip("!")
    if line.startswith("%") and line[1:2].isidentifier():
        name, _, rest = line[1:].partition(" ")
        return name, rest
    return ("?", line) if line.startswith("?") or (line.endswith("?") and line[:-1].isidentifier()) else None


def _ran(name: str, rest: str, path: str) -> Iterator[Found]:
    if name in _SHELLS:
        yield from shell.check(rest, path)
    elif name in ("env", "set_env"):
        variable, _, value = rest.replace("=", " ", 1).partition(" ")
        yield from _set(variable, value.split(" ")[0])
    elif name == "analytics":
        yield from sqlfile.check_sql(rest, 0, "duckdb", "analytics", "%analytics only reads")
    elif name == "staging" and category(path) is None:
        yield from sqlfile.check_sql(rest, 0, "sqlite", "staging", "")


def _set(variable: str, value: str) -> Iterator[Found]:
    if variable in VARIABLES and looks_like_file(value):
        yield Found(
            "hardcoded-path",
            Place(1),
            f"{variable} is set to {value} for this notebook",
            "the .env file, or the environment of the machine; greynb status shows what is in force",
        )


def _moved(found: Iterator[Found] | list[Found], lines: list[_Line]) -> Iterator[Found]:
    """Findings with lines of a text that was put together, moved to where those lines are."""
    for each in found:
        if not lines:
            continue
        first = lines[min(max(each.place.line, 1), len(lines)) - 1]
        last = lines[min(max(each.place.last_line, 1), len(lines)) - 1]
        yield replace(each, place=Place(first.line, 1, max(first.line, last.line), 0, first.cell))
