"""The day before which rows are old."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import Final

from greynb.errors import UsageError

_AGE: Final = re.compile(r"([1-9][0-9]{0,3})\s*(d|w|mo|y)")


def cutoff(age: str, today: dt.date) -> dt.date:
    """The day that lies an age before a day: ``90d``, ``6w``, ``18mo``, ``3y``.

    Months and years are those of the calendar; where the day does not exist, it is the month's last.

    Raises
    ------
    UsageError
        The text is no such age.
    """
    found = _AGE.fullmatch(age.strip().lower())
    if found is None:
        raise UsageError(f"{age!r} is not an age", hint="write a number and a unit: 90d, 6w, 18mo or 3y")
    number, unit = int(found[1]), found[2]
    try:
        if unit in "dw":
            return today - dt.timedelta(days=number * (7 if unit == "w" else 1))
        months = today.year * 12 + today.month - 1 - number * (12 if unit == "y" else 1)
        year, month = months // 12, months % 12 + 1
        return dt.date(year, month, min(today.day, calendar.monthrange(year, month)[1]))
    except (OverflowError, ValueError) as error:
        raise UsageError(f"{age!r} is before the calendar begins", hint="write a smaller number") from error
