"""Hashing the content of a result, whatever engine, order of rows and dtypes it came with.

Each value has a code of 17 bytes, a letter and 16 bytes, given here for one value and, faster and the same,
for a whole column:

==============================================  ======  =================================================
value                                           letter  16 bytes
==============================================  ======  =================================================
NULL: None, NaN, NaT, ``pandas.NA``             zero    zeros
whole number of 64 bits; a boolean is 0 or 1;   ``i``   int64, little-endian, then zeros
a float or decimal that is whole, up to 2^53
other float, rounded to 40 bits of fraction     ``f``   IEEE 754 double, little-endian, then zeros
whole number beyond 64 bits, decimal that no    ``n``   digest of its digits, without trailing zeros
double gives back
text, date, timestamp, time, UUID               ``t``   digest of the text
bytes                                           ``b``   digest of the bytes
duration                                        ``d``   int64 microseconds, little-endian, then zeros
list                                            ``l``   digest of its items' codes, in order
struct, map                                     ``s``   digest of the codes of keys and values, sorted
==============================================  ======  =================================================

A digest is the first 16 bytes of a SHA-256. A date is ``2025-07-01``, a timestamp ``2025-07-01 10:30:00.5``
without trailing zeros, at midnight a date; one with time zone is given in UTC and ends in ``+00:00``.
``docs/verify.md`` tells the same for people who want to compute the hash elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from greynb.report.mixing import mixed
from greynb.report.probes import Probes
from greynb.report.valuecodes import NULL, WIDTH, code, digest, moment_text, rounded

if TYPE_CHECKING:
    from collections.abc import Callable

Codes = npt.NDArray[np.uint8]

_ROWS: Final = 65_536
"""Rows that are hashed at once: bounds the memory."""
_WHOLE: Final = 2.0**53
_YEAR_1000, _YEAR_9999 = np.datetime64("1000-01-01", "s"), np.datetime64("9999-01-01", "s")
_NAT: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Content:
    """The hashes of a result.

    Attributes
    ----------
    hash
        SHA-256 in hex of the names of the columns, the number of rows, and the sum of the rows' SHA-256
        modulo 2^256, which no order of rows changes.
    columns
        16 hex digits for each column, which tell where results differ.
    sums
        What `greynb.report.probes` keeps of the floats, if it was asked for.
    """

    hash: str
    columns: tuple[str, ...]
    sums: Mapping[str, Any] | None = None


def content_of(df: pd.DataFrame, floats: Sequence[bool] | None = None) -> Content:
    """Hash a frame's columns; its index is no part of it.

    Parameters
    ----------
    df
        The frame.
    floats
        For each column, whether it holds floats, of which sums are wanted; None for no sums.
    """
    names = [str(name) for name in df.columns]
    columns = [df.iloc[:, number].array for number in range(len(names))]
    total, sums = 0, [0] * len(names)
    probes = Probes(floats) if floats is not None else None
    for start in range(0, len(df), _ROWS):
        pieces = [column[start : start + _ROWS] for column in columns]
        parts = [column_codes(piece) for piece in pieces]
        if probes:
            probes.add(pieces, parts)
        total += _sum_of_rows(parts, min(_ROWS, len(df) - start))
        sums = [before + _sum_of_values(part) for before, part in zip(sums, parts, strict=True)]
    told = json.dumps([names, len(df), f"{total % 2**256:064x}"], separators=(",", ":"))
    return Content(
        hashlib.sha256(told.encode()).hexdigest(),
        tuple(f"{each % 2**64:016x}" for each in sums),
        probes.result() if probes else None,
    )


def content_hash(df: pd.DataFrame) -> str:
    """Give the hash of a frame's content, as `Content.hash` has it."""
    return content_of(df).hash


def column_codes(values: Any) -> Codes:
    """Give the codes of a column's values.

    Parameters
    ----------
    values
        An array of numpy or pandas.

    Returns
    -------
    array
        uint8 of shape (values, 17).
    """
    if isinstance(values, np.ndarray):
        values = pd.arrays.NumpyExtensionArray(values)
    kind = getattr(values.dtype, "kind", "O")
    if isinstance(values.dtype, pd.CategoricalDtype):
        return _taken(column_codes(values.categories.array), np.asarray(values.codes))
    convert = _BY_KIND.get(kind) if not isinstance(values.dtype, pd.ArrowDtype) else None
    if convert is not None:
        return convert(values)
    return _texts(values) if isinstance(values.dtype, pd.StringDtype) else _objects(values)


def _integers(values: Any) -> Codes:
    missing = np.asarray(pd.isna(values))
    filled = values.to_numpy(dtype=values.dtype.numpy_dtype, na_value=0) if missing.any() else values
    plain = np.asarray(filled)
    if plain.dtype == np.uint64 and len(plain) and plain.max() > np.iinfo(np.int64).max:
        return _objects(values)
    return _numbers("i", plain.astype(np.int64), missing)


def _floats(values: Any) -> Codes:
    missing = np.asarray(pd.isna(values))
    plain = np.asarray(values.to_numpy(np.float64, na_value=np.nan), dtype=np.float64)
    missing = missing | np.isnan(plain)
    shortened = np.where(_is_whole(plain), plain, rounded(plain))
    whole = _is_whole(shortened)
    codes = _numbers("f", shortened.view(np.int64), missing)
    integers = _numbers("i", np.where(whole & ~missing, shortened, 0).astype(np.int64), missing)
    codes[whole] = integers[whole]
    return codes


def _is_whole(values: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    whole: npt.NDArray[np.bool_] = (np.abs(values) <= _WHOLE) & (np.trunc(values) == values)
    return whole


def _numbers(letter: str, values: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_]) -> Codes:
    codes = np.zeros((len(values), WIDTH), np.uint8)
    codes[:, 0] = ord(letter)
    codes[:, 1:9] = np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(-1, 8)
    codes[missing] = 0
    return codes


def _moments(values: Any) -> Codes:
    """Make the text of each different moment once."""
    zone = "+00:00" if getattr(values.dtype, "tz", None) is not None else ""
    plain = np.asarray(values.to_numpy(f"M8[{values.dtype.unit}]" if zone else None))
    different, places = np.unique(plain, return_inverse=True)
    return _taken(_stacked([digest("t", text) if text else NULL for text in _iso(different, zone)]), places)


def _iso(moments: npt.NDArray[Any], zone: str) -> list[bytes]:
    """Write moments as `moment_text` does; NaT is empty. Whole seconds of usual years go all at once."""
    seconds = moments.astype("M8[s]")
    usual = (seconds == moments) & (seconds >= _YEAR_1000) & (seconds < _YEAR_9999)
    usual &= (seconds != seconds.astype("M8[D]")) | bool(zone)
    letters = np.datetime_as_string(np.where(usual, seconds, _YEAR_1000)).astype("S19").view(np.uint8)
    letters = letters.reshape(-1, 19).copy()
    letters[:, 10] = ord(" ")
    joined, ending = letters.tobytes(), zone.encode()
    texts = [joined[start : start + 19] + ending for start in range(0, len(joined), 19)]
    for place in np.flatnonzero(~usual):
        missing = np.isnat(moments[place])
        texts[place] = b"" if missing else moment_text(str(moments[place]), zone).encode()
    return texts


def _durations(values: Any) -> Codes:
    micros = np.asarray(values.to_numpy()).astype("m8[us]").view(np.int64)
    return _numbers("d", micros, micros == _NAT)


def _texts(values: Any) -> Codes:
    numbers, different = pd.factorize(values)
    return _taken(_stacked([code(text) for text in different]), numbers)


def _objects(values: Any) -> Codes:
    """Look at each value; one that comes again, of the same type, is not looked at twice."""
    known: dict[tuple[type, object], bytes] = {}
    return _stacked([_once(value, known) for value in np.asarray(values, dtype=object)])


def _once(value: Any, known: dict[tuple[type, object], bytes]) -> bytes:
    try:
        found = known.get((type(value), value))
    except TypeError:  # lists and dicts
        return code(value)
    if found is None:
        found = known[type(value), value] = code(value)
    return found


def _stacked(codes: Sequence[bytes]) -> Codes:
    return np.frombuffer(b"".join(codes), np.uint8).reshape(-1, WIDTH)


def _taken(codes: Codes, places: npt.NDArray[Any]) -> Codes:
    """Give each place its code; -1 is NULL."""
    with_null = np.vstack([codes, np.zeros((1, WIDTH), np.uint8)])
    taken: Codes = with_null[places.reshape(-1)]
    return taken


_BY_KIND: Final[dict[str, Callable[[Any], Codes]]] = {
    "i": _integers,
    "u": _integers,
    "b": _integers,
    "f": _floats,
    "M": _moments,
    "m": _durations,
}


def _sum_of_rows(parts: Sequence[Codes], rows: int) -> int:
    """Add up the SHA-256 of the rows, each a big-endian number."""
    joined = np.concatenate(parts, axis=1).tobytes() if parts else b""
    width = WIDTH * len(parts)
    digests = b"".join(
        hashlib.sha256(joined[start : start + width]).digest() for start in _starts(rows, width)
    )
    words = np.frombuffer(digests, ">u4").reshape(-1, 8).sum(axis=0, dtype=np.uint64)
    return sum(int(word) << 32 * (7 - place) for place, word in enumerate(words))


def _starts(rows: int, width: int) -> Iterator[int]:
    return iter(range(0, rows * width, width)) if width else iter([0] * rows)


def _sum_of_values(codes: Codes) -> int:
    """Add up a mix of each code: enough to tell whether a column is the same."""
    return int(mixed(codes).sum(dtype=np.uint64))
