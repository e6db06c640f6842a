"""``--plot``: a result drawn by Altair as SVG, which needs no script and no network wherever it is shown."""

from __future__ import annotations

import datetime as dt
import io
import math
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, Literal

from greynb.errors import UsageError
from greynb.notebook.values import is_null

if TYPE_CHECKING:
    import pandas as pd

    from greynb.notebook.options import Plot

Measure = Literal["quantitative", "temporal", "nominal"]

MOST: Final = {"line": 20_000, "scatter": 5_000, "bar": 200, "hist": 50_000}
"""Rows that make a picture which can still be read, and kept in a notebook."""
_BINS: Final = 30
_HOURS: Final = 3
_CALENDAR: Final = (
    (0.1, "yearmonthdatehoursminutes"),
    (_HOURS, "yearmonthdatehours"),
    (100, "yearmonthdate"),
    (3000, "yearmonth"),
    (math.inf, "year"),
)
"""Days up to which a histogram of times counts in a part of the calendar."""
_EACH_DAY: Final = 14
"""Days of which each has its tick."""
_COLOURS: Final = 12
_TEXT: Final = "#808080"
"""Readable on white and on black alike."""
_MARKS: Final = ("#4c8bb0", "#d98032", "#5f9f6e", "#b3648c", "#8f7ec2", "#a3884f")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawn plot.

    Attributes
    ----------
    svg
        The picture.
    description
        What it shows, for those who do not see it.
    chart
        The Altair chart, to go on from.
    """

    svg: str
    description: str
    chart: Any

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.description}


def draw(frame: pd.DataFrame, plot: Plot) -> Drawing:
    """Draw a frame.

    Parameters
    ----------
    frame
        The rows.
    plot
        What to draw of them.

    Raises
    ------
    UsageError
        Altair is not installed; a column is not there or of the wrong kind; there are no rows, or too many.
    """
    try:
        import altair
        import vl_convert  # noqa: F401  # Altair says what is missing only in the middle of drawing
    except ImportError as error:
        raise UsageError(f"--plot needs {error.name}", hint='pip install "greynb[plot]"') from error
    columns = _columns(frame, plot)
    _check(frame, plot, columns)
    kinds = {channel: _measure(frame[name]) for channel, name in columns.items()}
    chart = _chart(altair, _records(frame, columns, kinds), columns, kinds, plot.kind)
    described = _described(frame, plot.kind, columns)
    picture = io.StringIO()
    chart.properties(description=described).save(picture, format="svg")
    return Drawing(picture.getvalue(), described, chart)


def _columns(frame: pd.DataFrame, plot: Plot) -> dict[str, str]:
    """The column of each channel: those named, else the first ones of a kind that suits."""
    names = [str(each) for each in frame.columns]
    asked = {"x": plot.x, "y": plot.y, "color": plot.color}
    for channel, name in asked.items():
        if name is not None and name not in names:
            close = get_close_matches(name, names, n=1)
            meant = f"; did you mean {close[0]}?" if close else ""
            raise UsageError(
                f"--plot: there is no column {name!r} for {channel}{meant}",
                hint=f"columns: {', '.join(names)}",
            )
    if plot.kind == "hist" and plot.y is not None:
        raise UsageError("--plot hist counts the values of x and takes no y", hint="--plot hist x=COLUMN")
    if not names:
        raise UsageError("--plot: the result has no columns")
    taken = [each for each in asked.values() if each]
    free = [each for each in names if each not in taken]
    numbers = [each for each in free if _measure(frame[each]) == "quantitative"]
    others = [each for each in free if each not in numbers]
    if asked["x"] is None:
        wanted = numbers if plot.kind in ("scatter", "hist") else [*others, *numbers]
        asked["x"] = next(iter(wanted), None)
    if asked["y"] is None and plot.kind != "hist":
        asked["y"] = next((each for each in numbers if each != asked["x"]), None)
    return {channel: name for channel, name in asked.items() if name is not None}


def _check(frame: pd.DataFrame, plot: Plot, columns: dict[str, str]) -> None:
    needed = ("x",) if plot.kind == "hist" else ("x", "y")
    numeric = ("x",) if plot.kind == "hist" else ("y",)
    kinds = ", ".join(f"{name} ({frame[name].dtype})" for name in map(str, frame.columns))
    for channel in needed:
        if channel not in columns:
            raise UsageError(
                f"--plot {plot.kind}: no column of numbers is left for {channel}", hint=f"columns: {kinds}"
            )
    for channel in numeric:
        if _measure(frame[columns[channel]]) == "nominal":
            raise UsageError(
                f"--plot {plot.kind}: {columns[channel]} for {channel} is no column of numbers",
                hint=f"columns: {kinds}",
            )
    if not len(frame):
        raise UsageError("--plot: the result has no rows")
    if len(frame) > MOST[plot.kind]:
        raise UsageError(
            f"--plot {plot.kind}: {len(frame):,} rows are too many, at most {MOST[plot.kind]:,} can be drawn",
            hint="summarise them in SQL (GROUP BY), or take some: USING SAMPLE 10000",
        )
    if "color" in columns and _measure(frame[columns["color"]]) == "nominal":
        found = frame[columns["color"]].nunique()
        if found > _COLOURS:
            raise UsageError(
                f"--plot: {columns['color']} has {found:,} values, and there are colours for {_COLOURS}",
                hint="take another column, or keep some values with WHERE",
            )


def _measure(column: Any) -> Measure:
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf":
        return "quantitative"
    if kind == "M" or any(_is_date(each) for each in column.dropna().head(1)):
        return "temporal"
    head = column.dropna().head(1)
    return "quantitative" if any(_is_number(each) for each in head) else "nominal"


def _is_date(value: Any) -> bool:
    return hasattr(value, "isoformat") and hasattr(value, "year")


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not isinstance(value, (bool, str))


def _records(frame: pd.DataFrame, columns: dict[str, str], kinds: dict[str, Measure]) -> list[dict[str, Any]]:
    """The rows under the names of their channels, as JSON can hold them."""
    lists = {channel: frame[name].tolist() for channel, name in columns.items()}
    return [
        {channel: _plain(value, kinds[channel]) for channel, value in zip(lists, row, strict=True)}
        for row in zip(*lists.values(), strict=True)
    ]


def _plain(value: Any, kind: Measure) -> Any:
    if is_null(value):
        return None
    if kind == "quantitative":
        return float(value)
    if kind == "temporal":
        # With its time, or JavaScript takes a date for midnight in Greenwich.
        return value.isoformat() if hasattr(value, "hour") else f"{value.isoformat()}T00:00:00"
    return str(value)


def _chart(
    altair: Any,
    records: list[dict[str, Any]],
    columns: dict[str, str],
    typed: dict[str, Measure],
    kind: str,
) -> Any:
    chart = altair.Chart(altair.Data(values=records))
    mark = {
        "line": chart.mark_line(strokeWidth=1.8),
        "bar": chart.mark_bar(),
        "hist": chart.mark_bar(),
        "scatter": chart.mark_circle(opacity=0.6, size=28),
    }[kind]
    if kind == "hist":
        channels = {
            "x": altair.X(
                "x",
                type=typed["x"],
                title=columns["x"],
                **_parts(altair, records, typed["x"]),
                **_days(altair, records, typed["x"]),
            ),
            "y": altair.Y("count()", title="rows", axis=altair.Axis(tickMinStep=1)),
        }
    else:
        channels = {
            "x": altair.X(
                "x",
                type=typed["x"],
                sort=None,
                title=columns["x"],
                **_zero(altair, kind, typed["x"]),
                **_days(altair, records, typed["x"]),
            ),
            "y": altair.Y("y", type=typed["y"], title=columns["y"], **_zero(altair, kind, typed["y"])),
        }
    if "color" in columns:
        scale = altair.Scale(range=list(_MARKS)) if typed["color"] == "nominal" else altair.Undefined
        channels["color"] = altair.Color("color", type=typed["color"], title=columns["color"], scale=scale)
    return _styled(mark.encode(**channels))


def _zero(altair: Any, kind: str, measure: str) -> dict[str, Any]:
    """Bars begin at zero; of lines and points the values themselves fill the plot."""
    return {"scale": altair.Scale(zero=kind == "bar")} if measure == "quantitative" else {}


def _days(altair: Any, records: list[dict[str, Any]], measure: Measure) -> dict[str, Any]:
    """Dates have no hours: over a few days each has its tick, and nothing stands between two of them."""
    moments = _moments(records) if measure == "temporal" else []
    if not moments or not _are_days(moments) or _span(moments) > _EACH_DAY:
        return {}
    return {"axis": altair.Axis(tickCount=altair.TimeIntervalStep(interval="day", step=1), format="%-d %b")}


def _parts(altair: Any, records: list[dict[str, Any]], measure: Measure) -> dict[str, Any]:
    """What a histogram counts in: equally wide parts of numbers, and parts of the calendar."""
    if measure != "temporal":
        return {"bin": altair.Bin(maxbins=_BINS)}
    moments = _moments(records)
    span = _span(moments) + (_HOURS if _are_days(moments) else 0)
    return {"timeUnit": next(unit for most, unit in _CALENDAR if span < most)}


def _moments(records: list[dict[str, Any]]) -> list[str]:
    return [record["x"] for record in records if record["x"]]


def _are_days(moments: list[str]) -> bool:
    return all(each.endswith("T00:00:00") for each in moments)


def _span(moments: list[str]) -> float:
    """The days from the first to the last of moments in ISO 8601."""
    ends = [dt.datetime.fromisoformat(each) for each in (min(moments), max(moments))] if moments else []
    return (ends[1] - ends[0]).total_seconds() / 86400 if ends else 0.0


def _styled(chart: Any) -> Any:
    quiet = {"labelColor": _TEXT, "titleColor": _TEXT, "domainColor": _TEXT, "tickColor": _TEXT}
    return (
        chart.properties(width=560, height=280)
        .configure(background="transparent")
        .configure_view(stroke=None)
        .configure_axis(**quiet, gridColor=_TEXT, gridOpacity=0.2, titleFontWeight="normal")
        .configure_legend(labelColor=_TEXT, titleColor=_TEXT)
        .configure_mark(color=_MARKS[0])
    )


def _described(frame: pd.DataFrame, kind: str, columns: dict[str, str]) -> str:
    by = f", coloured by {columns['color']}" if "color" in columns else ""
    rows = f"{len(frame):,} row{'' if len(frame) == 1 else 's'}"
    if kind == "hist":
        return f"histogram of {columns['x']}{by}: {rows}"
    return f"{kind} plot of {columns['y']} by {columns['x']}{by}: {rows}"
