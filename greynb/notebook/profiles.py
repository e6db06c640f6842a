"""``--profile`` and ``%greynb profile NAME``: the profile of a result, a table or a DataFrame, and its look.

The HTML needs no script or style sheet; its bars are inline SVG in the colour of the text around them, so
that they can be read on light and dark pages. Where SVG is stripped, every figure is still there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from html import escape
from typing import TYPE_CHECKING, Any, Final

from greynb.connections import analytics_session
from greynb.databases.notebook_frames import is_frame
from greynb.errors import GreynbError, UsageError
from greynb.locating import located
from greynb.notebook import execution, plaintext
from greynb.notebook.display import duration
from greynb.notebook.values import arrays_of, is_null, on_one_line, values
from greynb.profiling.frames import FrameProfiler
from greynb.profiling.measuring import measure
from greynb.routing import Settings

if TYPE_CHECKING:
    from greynb.databases.reading import CellSession
    from greynb.notebook.config import Greynb
    from greynb.profiling.profile import ColumnProfile, Profile

_BLOCKS: Final = " ▁▂▃▄▅▆▇█"
_BAR: Final = 6
_HEIGHT: Final = 24
_VALUE: Final = 24
_HEADS: Final = ("column", "type", "NULLs", "different", "smallest · quartiles · largest", "values")


@dataclass(frozen=True, slots=True)
class ShownProfile:
    """A profile as a table: text in a terminal, HTML in a notebook."""

    profile: Profile

    def __repr__(self) -> str:
        rows = [_cells(each, self.profile.rows) for each in self.profile.columns]
        rows = [[cell or "–" for cell in row] for row in rows]  # an empty text would be shown in quotes
        columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in _HEADS]
        right = [head in ("NULLs", "different") for head in _HEADS]
        return "\n".join([*plaintext.folded(list(_HEADS), columns, right), self._footer()])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" align="left" style="text-align:left">{each}</th>' for each in _HEADS)
        body = "".join(_row(each, self.profile.rows) for each in self.profile.columns)
        name = escape(on_one_line(self.profile.source))
        caption = f'<caption style="text-align:left">Profile of {name}</caption>'
        return (
            f'<div><div style="overflow-x:auto"><table>{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{body}</tbody></table></div><div><small>{escape(self._footer())}</small></div></div>"
        )

    def _footer(self) -> str:
        rows, columns = self.profile.rows, len(self.profile.columns)
        parts = [
            f"profile of {on_one_line(self.profile.source)}",
            f"{rows:,} row{'' if rows == 1 else 's'}, {columns:,} column{'' if columns == 1 else 's'}",
            duration(self.profile.seconds),
        ]
        estimated = any(not each.exact for each in self.profile.columns)
        return " · ".join([*parts, *(["different values and quartiles are estimates"] if estimated else [])])


def profile_frame(frame: Any, source: str, config: Greynb) -> ShownProfile:
    """Profile a DataFrame, interruptibly."""
    profiler = FrameProfiler(frame, source)
    return ShownProfile(
        execution.run(
            profiler.measure,
            interrupt=profiler.interrupt,
            progress=profiler.progress,
            show_progress=config.progress,
            interruptible=config.interrupt,
            label="profile",
        )
    )


def profile_named(words: Sequence[str], variables: Mapping[str, Any], config: Greynb) -> ShownProfile:
    """Profile what is named: a table of analytics, else a DataFrame of the notebook.

    Raises
    ------
    UsageError
        There is no such thing.
    """
    if len(words) != 1:
        raise UsageError("%greynb profile takes a TABLE or a DataFrame", hint="%greynb profile TABLE")
    (name,) = words
    route = Settings.current().route("analytics")
    try:
        session = analytics_session(route)
        found = execution.run(
            lambda: _profile_table(session, name),
            interrupt=session.interrupt,
            progress=session.progress,
            show_progress=config.progress,
            interruptible=config.interrupt,
            label="profile",
        )
    except GreynbError as error:
        if not is_frame(variables.get(name)):
            raise located(error, route) from error.__cause__
        found = None
    if found is not None:
        return ShownProfile(found)
    if is_frame(variables.get(name)):
        return profile_frame(variables[name], name, config)
    raise _unknown(name, session, variables)


def _profile_table(session: CellSession, name: str) -> Profile | None:
    session.refresh()
    if name not in session.catalog:
        return None

    def rows(sql: str) -> list[tuple[Any, ...]]:
        (result,) = session.run(sql)
        assert result.frame is not None
        columns = [
            [None if is_null(each) else each for each in values(array)] for array in arrays_of(result.frame)
        ]
        return list(zip(*columns, strict=True))

    return measure(rows, name, f"{name} @ {session.snapshot.id}")


def _unknown(name: str, session: CellSession, variables: Mapping[str, Any]) -> UsageError:
    frames = [each for each in variables if is_frame(variables[each]) and not each.startswith("_")]
    known = [*(each.name for each in session.catalog.tables()), *frames]
    close = get_close_matches(name, known, n=1)
    meant = f"; did you mean {close[0]}?" if close else ""
    return UsageError(
        f"there is no table and no DataFrame {name!r}{meant}", hint="`%greynb tables` lists tables"
    )


def _cells(column: ColumnProfile, rows: int) -> list[str]:
    return [
        *(column.name, column.type, _nulls(column, rows), _distinct(column)),
        *(
            " · ".join(filter(None, [_short(column.low), *column.quartiles, _short(column.high)])),
            _spread(column),
        ),
    ]


def _nulls(column: ColumnProfile, rows: int) -> str:
    share = f" ({column.nulls / rows:.0%})".replace("%", " %") if column.nulls else ""
    return f"{column.nulls:,}{share}"


def _distinct(column: ColumnProfile) -> str:
    if column.distinct is None:
        return ""
    return f"{'' if column.exact else '≈ '}{column.distinct:,}"


def _spread(column: ColumnProfile) -> str:
    """Bars of characters, or the most frequent values."""
    most = max(column.bars, default=0)
    if most:
        return "".join(_BLOCKS[-(-count * (len(_BLOCKS) - 1) // most)] for count in column.bars)
    return ", ".join(f"{_short(value)} {count:,}×" for value, count in column.common)


def _short(text: str) -> str:
    text = on_one_line(text)
    return text if len(text) <= _VALUE else text[: _VALUE - 1] + "…"


def _row(column: ColumnProfile, rows: int) -> str:
    name, kind, nulls, distinct, low_to_high, spread = map(_safe, _cells(column, rows))
    shown = _svg(column) if any(column.bars) else spread
    numbers = "".join(
        f'<td align="right" style="text-align:right;white-space:nowrap">{each}</td>'
        for each in (nulls, distinct)
    )
    others = "".join(f'<td align="left" style="text-align:left">{each}</td>' for each in (low_to_high, shown))
    return (
        f'<tr><th scope="row" align="left" style="text-align:left">{name}</th>'
        f'<td align="left" style="text-align:left"><small><i>{kind}</i></small></td>{numbers}{others}</tr>'
    )


def _safe(text: str) -> str:
    # A notebook's MathJax would set what stands between two dollar signs as a formula.
    return escape(_cut(on_one_line(text))).replace("$", "<span>$</span>")


def _cut(text: str) -> str:
    return text if len(text) <= 90 else text[:89] + "…"


def _svg(column: ColumnProfile) -> str:
    """The bars of a column; each tells its number when pointed at."""
    most, width = max(column.bars), _BAR * len(column.bars)
    drawn = "".join(
        f'<rect x="{at * _BAR}" y="{_HEIGHT - height}" width="{_BAR - 1}" height="{height}">'
        f"<title>{count:,}</title></rect>"
        for at, count in enumerate(column.bars)
        if (height := -(-count * _HEIGHT // most))
    )
    label = escape(f"spread of {on_one_line(column.name)} from {column.low} to {column.high}", quote=True)
    return (
        f'<svg role="img" aria-label="{label}" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" fill="currentColor" fill-opacity="0.6">{drawn}</svg>'
    )
