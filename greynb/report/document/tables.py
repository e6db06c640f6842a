"""A DataFrame as a table for reading: labels, units, formats, colour scales, headings over columns."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from greynb.errors import UsageError
from greynb.report.document.blocks import Column, Table
from greynb.report.document.formatting import Format, is_missing, texts
from greynb.report.document.scales import shades

if TYPE_CHECKING:
    import pandas as pd

    from greynb.report.recording import Source

ROWS = 200
"""Rows shown unless told otherwise: great-tables takes 0.2 s for so many and 2.3 s for 2,000."""


def table_of(
    df: pd.DataFrame,
    caption: str = "",
    *,
    formats: Mapping[str, Format] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    scale: Mapping[str, str] | None = None,
    spanners: Mapping[str, Sequence[str]] | None = None,
    rows: int = ROWS,
    sources: tuple[Source, ...] = (),
) -> Table:
    """Make a table of a DataFrame; the index is left out.

    Parameters
    ----------
    df
        What to show.
    caption
        A line above the table.
    formats
        Per column a format such as ``"{:.1%}"``, or a function from value to text.
    labels
        Per column its heading; without one, the name with spaces for underscores.
    units
        Per column the unit that stands beside its heading.
    scale
        Per column ``"sequential"`` or ``"diverging"``: its cells are coloured by value.
    spanners
        A heading over several columns that stand side by side.
    rows
        Rows shown at most; the Excel workbook holds all.
    sources
        Where the data come from.

    Raises
    ------
    UsageError
        It is not a DataFrame, a column that is named is not there, a format or a colour scale does not fit
        the values, or the columns under a spanner do not stand side by side.
    """
    import pandas as pd

    if not isinstance(df, pd.DataFrame):
        raise no_frame(df)
    if not isinstance(rows, int) or rows < 1:
        raise UsageError(f"rows is a whole number from 1, not {rows!r}")
    names = [str(name) for name in df.columns]
    for each in (formats, labels, units, scale):
        _check(names, each or {})
    shown = df.iloc[:rows]
    columns = tuple(
        _column(
            name,
            shown.iloc[:, place],
            (formats or {}).get(name),
            (labels or {}).get(name),
            (units or {}).get(name, ""),
            (scale or {}).get(name),
        )
        for place, name in enumerate(names)
    )
    over = tuple(_spanner(names, text, under) for text, under in (spanners or {}).items())
    return Table(columns, df.reset_index(drop=True), len(df), caption, over, sources)


def _column(
    name: str,
    values: pd.Series[Any],
    format_: Format | None,
    label: str | None,
    unit: str,
    scale: str | None,
) -> Column:
    number = is_number(values)
    found = list(values)
    try:
        written = texts(found, format_, number)
    except UsageError as error:
        raise UsageError(f"column {name!r}: {error.message}", hint=error.hint) from None
    coloured = shades(found, scale) if scale else ()
    if scale and not any(coloured) and any(not is_missing(value) for value in found):
        raise UsageError(f"column {name!r} has no numbers that a colour scale could show")
    return Column(
        label=name.replace("_", " ") if label is None else label,
        unit=unit,
        number=number,
        texts=written,
        shades=coloured,
        format=format_ if isinstance(format_, str) else None,
        scale=scale,
    )


def no_frame(value: object) -> UsageError:
    """What to raise for something else than a DataFrame."""
    return UsageError(
        f"{type(value).__name__} is not a DataFrame of pandas",
        hint="give the result of a query; polars and Arrow: frame.to_pandas()",
    )


def is_number(values: pd.Series[Any]) -> bool:
    """Tell whether a column holds numbers, decimals in an object column included."""
    import decimal

    if values.dtype.kind in "iuf":
        return True
    known: list[Any] = list(values.dropna()) if values.dtype.kind == "O" else []
    return len(known) > 0 and all(
        isinstance(value, int | float | decimal.Decimal) and not isinstance(value, bool) for value in known
    )


def _check(names: Sequence[str], wished: Mapping[str, object]) -> None:
    for name in wished:
        if name not in names:
            near = difflib.get_close_matches(str(name), names, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"its columns are: {', '.join(names)}"
            raise UsageError(f"the table has no column {name!r}", hint=hint)


def _spanner(names: Sequence[str], text: str, under: Sequence[str]) -> tuple[str, int, int]:
    _check(names, dict.fromkeys(under))
    places = sorted(names.index(name) for name in under)
    if not places or places != list(range(places[0], places[0] + len(places))):
        raise UsageError(f"the columns under {text!r} do not stand side by side in the table")
    return text, places[0], len(places)
