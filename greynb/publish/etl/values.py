"""One stored value as another type, or not at all: what would change its meaning is refused.

Blanks around a text do not count. Ambiguous dates (``01/07/2025``) need a format: nothing is guessed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from greynb.publish.etl.plan import Wish

Stored = int | float | str | bytes

_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[ Tt](\d\d:\d\d)(:\d\d)?(?:\.(\d+))?\s?([Zz]|[+-]\d\d:?\d\d)?)?", re.ASCII
)
_WHOLE: Final = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TRUE: Final = frozenset({"1", "1.0", "true", "t", "yes", "y"})
_FALSE: Final = frozenset({"0", "0.0", "false", "f", "no", "n"})
_EPOCH: Final = datetime(1970, 1, 1)
_UNITS: Final = {"unix": "seconds", "unix_ms": "milliseconds"}


def converted(value: Stored, wish: Wish) -> Stored:
    """Give the value as the kind of the wish, in the form that a census reads as that kind.

    Raises
    ------
    ValueError
        It is not of that kind, or would not mean the same.
    """
    if isinstance(value, bytes):
        raise ValueError("a blob")
    return _BY_KIND[wish.kind](value, wish)


def _integer(value: int | float | str, wish: Wish) -> int:
    if isinstance(value, str) and not _WHOLE.fullmatch(value.strip()):
        raise ValueError(value)
    number = int(value.strip().partition(".")[0]) if isinstance(value, str) else value
    if not math.isfinite(number) or number != int(number) or not -(2**63) <= number < 2**63:
        raise ValueError(value)
    return int(number)


def _real(value: int | float | str, wish: Wish) -> float:
    text = value.strip() if isinstance(value, str) else ""
    if isinstance(value, str) and not _NUMBER.fullmatch(text):
        raise ValueError(value)
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError(value) from error
    whole = int(value) if isinstance(value, int) or (_WHOLE.fullmatch(text) and "." not in text) else None
    lost = whole is not None and number != whole
    # Texts of decimals are rounded, as anywhere; a number beyond the range of a real is another number.
    if isinstance(value, str):
        lost = lost or math.isinf(number) or (number == 0 and Decimal(text) != 0)
    if lost:
        raise ValueError(value)
    return number


def _text(value: int | float | str, wish: Wish) -> str:
    return value if isinstance(value, str) else repr(value)


def _boolean(value: int | float | str, wish: Wish) -> int:
    word = str(value).strip().casefold()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return int(word in _TRUE)


def _date(value: int | float | str, wish: Wish) -> str:
    moment = _moment(value, wish)
    if moment.time() != time():
        raise ValueError(value)  # the time of day would be lost
    return moment.date().isoformat()


def _timestamp(value: int | float | str, wish: Wish) -> str:
    return _moment(value, wish).isoformat(sep=" ")


def _moment(value: int | float | str, wish: Wish) -> datetime:
    try:
        moment = _parsed(value, wish.format)
        if moment.tzinfo is None:
            return moment
        if wish.zone is None:
            raise ValueError(value)
        return moment.astimezone(ZoneInfo(wish.zone)).replace(tzinfo=None)
    except (OverflowError, ArithmeticError) as error:
        raise ValueError(value) from error


def _parsed(value: int | float | str, how: str | None) -> datetime:
    if how in _UNITS:
        if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
            raise ValueError(value)
        moment = _EPOCH + timedelta(**{_UNITS[how]: float(value)})
        return moment.replace(tzinfo=UTC)
    text = str(value).strip()
    if how is not None:
        return datetime.strptime(text, how)
    found = _ISO.fullmatch(text) if isinstance(value, str) else None
    if not found:
        raise ValueError(value)
    day, minutes, seconds, fraction, offset = found.groups()
    if fraction and (not seconds or fraction[6:].strip("0")):
        raise ValueError(value)  # a fraction of a minute, or finer than microseconds
    digits = f".{fraction[:6]:0<6}" if fraction else ""
    return datetime.fromisoformat(
        f"{day}T{minutes or '00:00'}{seconds or ':00'}{digits}{(offset or '').upper()}"
    )


_BY_KIND: Final[dict[str, Callable[[int | float | str, Wish], Stored]]] = {
    "integer": _integer,
    "real": _real,
    "text": _text,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
