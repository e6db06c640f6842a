"""Reading a form guide of the collector: past runs of the dogs of one race, as tidy rows.

The file has one line per past run. The dog's name, after its number in the race, stands on its first
line only; on the others it is ``""``. Values that are missing or cannot be right become NULL, and are listed.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greynb.demo.form_guides import MONTHS
from greynb.demo.names import clean_name
from greynb.errors import LoadError

if TYPE_CHECKING:
    import pandas as pd

_FILE = re.compile(r"(?:\d{14}_)?Race (\d+) - (.+?) - ([\w -]+?)(?:_cleaned)?\.csv", re.IGNORECASE)
_NUMBERED = re.compile(r"(\d+)\.\s*(.+)")


@dataclass(frozen=True, slots=True)
class FormGuide:
    """One form guide.

    Attributes
    ----------
    runs
        One row per past run, named as in ``enhanced_expert_data`` where that table has the column;
        ``number`` is the dog's number in the coming race.
    dirty
        One row per value that was dropped: ``file``, ``line`` (from 1, the header), ``dog_name``,
        ``column``, ``value`` (the text as it stood) and ``problem``.
    venue, race_number, race_date
        The coming race, from the file's name; None where the name does not say.
    """

    runs: pd.DataFrame
    dirty: pd.DataFrame
    venue: str | None
    race_number: int | None
    race_date: dt.date | None


@dataclass(frozen=True, slots=True)
class _Column:
    """What a column of the file becomes, and what its values must be."""

    name: str
    parse: Callable[[str], object]
    lowest: float = 0
    highest: float = float("inf")


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


_COLUMNS: dict[str, _Column] = {
    "Sex": _Column("sex", str),
    "PLC": _Column("position", int, 1, 10),
    "BOX": _Column("box_number", int, 1, 10),
    "WGT": _Column("weight", float, 15, 50),
    "DIST": _Column("distance", int, 200, 1000),
    "DATE": _Column("race_date", _date),
    "TRACK": _Column("venue", str),
    "G": _Column("grade", str),
    "TIME": _Column("race_time", float, 10, 70),
    "WIN": _Column("win_time", float, 10, 70),
    "BON": _Column("bonus_time", float, 10, 70),
    "1 SEC": _Column("first_sectional", float, 1, 30),
    "MGN": _Column("margin", float, 0, 100),
    "W/2G": _Column("winner_or_second", str),
    "PIR": _Column("pir_rating", int, 1, 99_999_999),
    "SP": _Column("starting_price", float, 1.0, 1001),
}
_WHOLE = ("number", "position", "box_number", "distance", "pir_rating")


def read_form_guide(path: Path) -> FormGuide:
    """Read one form-guide CSV file.

    Both of the collector's layouts are read: as downloaded, and ``_cleaned`` with the name on every line
    and derived columns at the end (which are left out).

    Raises
    ------
    LoadError
        The file is no form guide: columns are missing, or its text is not UTF-8.
    """
    lines = _lines(path)
    header = next(lines, (0, []))[1]
    missing = [column for column in ("Dog Name", *_COLUMNS) if column not in header]
    if missing:
        raise LoadError(
            f"not a form guide: no column {', '.join(missing)}",
            path=path,
            hint="a form guide starts with Dog Name,Sex,PLC,BOX,WGT,DIST,DATE,TRACK,…",
        )
    runs: list[dict[str, object]] = []
    dirty: list[dict[str, object]] = []
    dog: tuple[int | None, str | None] = (None, None)
    for line, cells in lines:
        texts = dict(zip(header, cells, strict=False))
        dog = _dog(texts.get("Dog Name", ""), dog)
        run, problems = _run(texts)
        runs.append({"number": dog[0], "dog_name": dog[1], "dog_clean_name": clean_name(dog[1] or "")} | run)
        dirty += [{"file": path.name, "line": line, "dog_name": dog[1]} | problem for problem in problems]
    return FormGuide(_runs_frame(runs), _dirty_frame(dirty), *_race(path.name))


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for cells in reader:
                if cells:
                    yield reader.line_num, [cell.strip() for cell in cells]
    except UnicodeDecodeError as error:
        raise LoadError("the form guide is not UTF-8 text", path=path, detail=str(error)) from error


def _dog(text: str, before: tuple[int | None, str | None]) -> tuple[int | None, str | None]:
    """Give number and name of the dog: of this line, or carried down from the line before."""
    if text.strip('"') == "":
        return before
    numbered = _NUMBERED.fullmatch(text)
    return (int(numbered[1]), numbered[2]) if numbered else (None, text)


def _run(texts: dict[str, str]) -> tuple[dict[str, object], list[dict[str, object]]]:
    run: dict[str, object] = {}
    problems: list[dict[str, object]] = []
    for header, column in _COLUMNS.items():
        text = texts.get(header, "")
        value, problem = _value(column, text)
        run[column.name] = value
        if problem:
            problems.append({"column": header, "value": text, "problem": problem})
    return run, problems


def _value(column: _Column, text: str) -> tuple[object, str | None]:
    if not text:
        return None, "blank"
    try:
        value = column.parse(text)
    except ValueError:
        return None, f"not a {'date' if column.parse is _date else 'number'}"
    if isinstance(value, int | float) and not column.lowest <= value <= column.highest:
        return None, f"outside {column.lowest:g} to {column.highest:g}"
    return value, None


def _race(name: str) -> tuple[str | None, int | None, dt.date | None]:
    match = _FILE.fullmatch(name)
    if match is None:
        return None, None, None
    return match[2], int(match[1]), _day(match[3])


def _day(text: str) -> dt.date | None:
    """Read ``17 July 2025`` (English, whatever the locale) or ``2025-07-17``."""
    day, *rest = text.split(" ")
    if len(rest) == 2 and rest[0].capitalize() in MONTHS:
        text = f"{rest[1]}-{MONTHS.index(rest[0].capitalize()) + 1:02d}-{day:0>2}"
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _runs_frame(runs: list[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    names = ["number", "dog_name", "dog_clean_name", *(column.name for column in _COLUMNS.values())]
    frame = pd.DataFrame(runs, columns=names)
    kinds = dict.fromkeys(_WHOLE, "Int64")
    kinds |= {column.name: "float64" for column in _COLUMNS.values() if column.parse is float}
    return frame.astype(kinds)


def _dirty_frame(dirty: list[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(dirty, columns=["file", "line", "dog_name", "column", "value", "problem"])
