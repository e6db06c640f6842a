"""The line of a magic: where the result goes, how much is shown, and where the SQL begins."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache

from greynb.errors import UsageError

# Words that begin SQL, so that `%%analytics SELECT` is a query and not a result called SELECT.
SQL_OPENERS = frozenset(
    "select from with values table describe desc show summarize pivot unpivot explain create drop insert "
    "update delete replace pragma alter vacuum analyze begin commit rollback attach detach".split()
)

_PATH = re.compile(r""""([^"]*)"|'([^']*)'|([^\s"']\S*)""")  # in quotes where it has spaces


PLOTS = ("line", "bar", "scatter", "hist")
_ENCODING = re.compile(r"""(x|y|color)=("[^"]*"|'[^']*'|\S+)\s*""")


@dataclass(frozen=True, slots=True)
class Plot:
    """What ``--plot`` asks for: one of `PLOTS`, and columns; those not named are chosen by their types."""

    kind: str
    x: str | None = None
    y: str | None = None
    color: str | None = None


@dataclass(frozen=True, slots=True)
class CellOptions:
    """What the line of ``%%analytics`` or ``%%staging`` asks for.

    Attributes
    ----------
    name
        The variable that takes the result; None to show it.
    show
        Show the result although it is assigned.
    rows
        Rows to show; None for the configured number.
    dry_run
        Do everything and roll back (staging only).
    no_cache
        Run the statements although their results may be kept, and keep none (analytics only).
    exports
        Files that the result is written to.
    force
        Replace files whatever is in them.
    keep_formulas
        Write texts to CSV as they are, also those that a spreadsheet would run.
    profile
        Show the profile of the columns under the result.
    explore
        Show the result as a table to sort and filter in.
    plot
        Draw the result under it.
    sql
        What is left of the line: SQL, or nothing.
    """

    name: str | None = None
    show: bool = False
    rows: int | None = None
    dry_run: bool = False
    no_cache: bool = False
    exports: tuple[str, ...] = ()
    force: bool = False
    keep_formulas: bool = False
    profile: bool = False
    explore: bool = False
    plot: Plot | None = None
    sql: str = ""


@lru_cache(maxsize=64)
def parse(line: str, *, body: bool, staging: bool) -> CellOptions:
    """Read the line of a magic.

    Parameters
    ----------
    line
        What follows the magic's name.
    body
        Whether lines of SQL follow (``%%``), so that a lone name is the result's name.
    staging
        Whether the options of writing cells are allowed.

    Raises
    ------
    UsageError
        An option that does not exist, or lacks its value.
    """
    known = _WRITING if staging else _READING
    options, rest = CellOptions(), line.strip()
    while True:
        if _is_option(rest):
            word, rest = _word(rest)
            options, rest = _option(word, known)(options, rest)
        elif options.name is None and (target := _target(rest, body)):
            name, show, rest = target
            options = replace(options, name=_variable(name), show=options.show or show)
        else:
            return replace(options, sql=rest)


def _is_option(text: str) -> bool:
    """Whether the text begins with ``-x`` or ``--word``; ``-- word`` is a comment of SQL."""
    return text.startswith("-") and text.removeprefix("-").removeprefix("-")[:1].isalpha()


def _word(text: str) -> tuple[str, str]:
    head, *tail = text.split(None, 1) or [""]
    return head, tail[0] if tail else ""


Step = Callable[[CellOptions, str], tuple[CellOptions, str]]


def _name(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    name, rest = _word(rest)
    return replace(options, name=_variable(name)), rest


def _show(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, show=True), rest


def _rows(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    number, rest = _word(rest)
    if not number.isdigit():
        raise UsageError(f"-n takes a number of rows, not {number!r}", hint="for example -n 50")
    return replace(options, rows=int(number)), rest


def _dry_run(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, dry_run=True), rest


def _no_cache(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, no_cache=True), rest


def _export(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    found = _PATH.match(rest)
    path = found and next(filter(None, found.groups()[:3]), None)
    if not found or not path or path.startswith("-"):
        raise UsageError("--export takes the path of a file", hint="for example --export races.csv")
    return replace(options, exports=(*options.exports, path)), rest[found.end() :].lstrip()


def _force(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, force=True), rest


def _keep_formulas(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, keep_formulas=True), rest


def _profile(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, profile=True), rest


def _explore(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    return replace(options, explore=True), rest


def _plot(options: CellOptions, rest: str) -> tuple[CellOptions, str]:
    kind, rest = _word(rest)
    if kind not in PLOTS:
        close = get_close_matches(kind, PLOTS, n=1)
        meant = f"; did you mean {close[0]}?" if close else ""
        wrong = f", not {kind!r}{meant}" if kind else ""
        raise UsageError(
            f"--plot takes {', '.join(PLOTS[:-1])} or {PLOTS[-1]}{wrong}",
            hint="for example --plot bar x=venue y=races",
        )
    columns: dict[str, str] = {}
    while found := _ENCODING.match(rest):
        columns[found[1]] = found[2].strip("\"'")
        rest = rest[found.end() :]
    return replace(options, plot=Plot(kind, **columns)), rest


_BOTH: dict[str, Step] = {
    "-o": _name,
    "--out": _name,
    "--show": _show,
    "-n": _rows,
    "--rows": _rows,
    "--export": _export,
    "--force": _force,
    "--keep-formulas": _keep_formulas,
    "--profile": _profile,
    "--explore": _explore,
    "--plot": _plot,
}
_READING: dict[str, Step] = {**_BOTH, "--no-cache": _no_cache}
_WRITING: dict[str, Step] = {**_BOTH, "--dry-run": _dry_run}


_VALUES = {
    "-o": "NAME",
    "--out": "NAME",
    "-n": "ROWS",
    "--rows": "ROWS",
    "--export": "PATH",
    "--plot": "|".join(PLOTS),
}


def known_options(*, staging: bool) -> dict[str, str]:
    """The options of a cell's line, each with the name of its value, or with nothing."""
    return {option: _VALUES.get(option, "") for option in (_WRITING if staging else _READING)}


def _option(word: str, known: dict[str, Step]) -> Step:
    if word in known:
        return known[word]
    close = get_close_matches(word, known, n=1)
    raise UsageError(
        f"no option {word}" + (f"; did you mean {close[0]}?" if close else ""),
        hint="options: " + ", ".join(known),
    )


def _target(text: str, body: bool) -> tuple[str, bool, str] | None:
    """Read ``df <<``, ``df= <<`` (which also shows) or, above a body, ``df`` off the front of the text."""
    before, arrow, after = text.partition("<<")
    name = before.strip().removesuffix("=").strip()
    if arrow and name.isidentifier():
        return name, before.strip().endswith("="), after.strip()
    first, rest = _word(text)
    lone = first.isidentifier() and first.lower() not in SQL_OPENERS and (not rest or _is_option(rest))
    return (first, False, rest) if body and lone else None


def _variable(name: str) -> str:
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UsageError(f"{name!r} cannot be the name of a variable", hint="for example -o df")
    return name
