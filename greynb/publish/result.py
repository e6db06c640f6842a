"""What a publication did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from greynb.routing import Server

Mode = Literal["full", "incremental", "etl"]
"""What can be asked for."""
Done = Literal["full", "incremental", "etl", "none", "unchanged", "rollback"]
"""What can have been done."""


@dataclass(frozen=True, slots=True)
class TableResult:
    """One table of a publication.

    Attributes
    ----------
    rows
        In the new version; None for a table that could not be counted, or that is gone.
    inserted, updated, deleted
        Rows that differ from the previous version; None where that was not looked at: in full mode, and for
        tables that were replaced as a whole.
    """

    rows: int | None
    inserted: int | None = None
    updated: int | None = None
    deleted: int | None = None

    @property
    def changed(self) -> bool:
        """Whether rows are known to have changed, or it is not known that none did."""
        return (self.inserted, self.updated, self.deleted) != (0, 0, 0)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a publication did; in a dry run, what it would do.

    Attributes
    ----------
    id
        The version published, ``gen-000042``; the one that stays, where staging is unchanged; empty where
        both roles are one file.
    mode
        What was done. ``"none"``: both roles are one file. ``"unchanged"``: the newest version already holds
        what staging does, so nothing was published.
    source, target
        The database that was copied, and what users read: a path, or a lake.
    path
        The SQLite file of the new version, or the lake.
    rows
        Per table; None for a table that could not be counted.
    bytes
        Size of the new file.
    seconds
        Wall time per step, in order.
    notices
        What the user should know.
    asked
        The mode that was asked for.
    reason
        Why something else was done than was asked for; empty where it was not.
    tables
        What changed per table, tables that are gone included.
    pages, pages_changed
        Pages of the new file, and those of them that the previous one lacks; None where not compared.
    lag_closed
        Seconds between the last commit that the previous version held and now; None without a previous one.
    dry_run
        Whether nothing was done.
    """

    id: str
    mode: Done
    source: Path | Server
    target: Path | Server
    path: Path | Server
    rows: Mapping[str, int | None] = field(default_factory=dict)
    bytes: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    asked: str = "full"
    reason: str = ""
    tables: Mapping[str, TableResult] = field(default_factory=dict)
    pages: int | None = None
    pages_changed: int | None = None
    lag_closed: float | None = None
    dry_run: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The same as plain values, for JSON."""
        return {
            "id": self.id,
            "asked": self.asked,
            "mode": self.mode,
            "reason": self.reason,
            "dry_run": self.dry_run,
            "source": str(self.source),
            "target": str(self.target),
            "path": str(self.path),
            "bytes": self.bytes,
            "pages": self.pages,
            "pages_changed": self.pages_changed,
            "lag_closed": self.lag_closed,
            "rows": dict(self.rows),
            "tables": {
                name: {
                    "rows": each.rows,
                    "inserted": each.inserted,
                    "updated": each.updated,
                    "deleted": each.deleted,
                }
                for name, each in self.tables.items()
            },
            "seconds": dict(self.seconds),
            "notices": list(self.notices),
        }

    def __str__(self) -> str:
        return "\n".join([*_head(self), *_text_table(self), *(f"  note: {each}" for each in self.notices)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(str(self))

    def _repr_html_(self) -> str:
        head, *more = (escape(line) for line in _head(self))
        notes = "".join(f"<div>note: {escape(each)}</div>" for each in self.notices)
        small = "".join(f"<div><small>{line.strip()}</small></div>" for line in more)
        return f"<div><b>{head}</b></div>{small}{_html_table(self)}{notes}"


_COLUMNS = ("table", "rows", "inserted", "updated", "deleted")
_SHOWN = 20


def _head(result: SyncResult) -> Iterator[str]:
    if result.mode == "none":
        kind = "file" if isinstance(result.path, Path) else "database"
        yield f"nothing to copy: staging and analytics are one {kind} ({result.path})"
        return
    if result.mode == "unchanged":
        yield f"{result.id}: unchanged, it holds what staging does; nothing {_verb(result)} published"
    else:
        counted = sum(rows or 0 for rows in result.rows.values())
        # Of a version that greynb did not make, nothing was counted.
        known = result.rows and not result.dry_run
        tables = "1 table" if len(result.rows) == 1 else f"{len(result.rows)} tables"
        content = f"{tables}, {counted:,} rows, " if known else ""
        took = " would be published" if result.dry_run else f" in {sum(result.seconds.values()):.2f} s"
        yield f"{result.id}: {content}{result.bytes / 1e6:,.1f} MB{took} ({result.mode})"
    if result.reason:
        yield f"  {result.mode} instead of {result.asked}: {result.reason}"
    yield f"  {result.source} -> {result.target}"
    if result.pages is not None and result.pages_changed is not None and result.mode != "unchanged":
        yield f"  {result.pages_changed:,} of {result.pages:,} pages changed"
    if result.lag_closed is not None and not result.dry_run and result.mode != "unchanged":
        yield f"  the previous version ended {_duration(result.lag_closed)} ago"
    if result.seconds:
        yield "  " + " · ".join(f"{name} {seconds:.2f} s" for name, seconds in result.seconds.items())


def _verb(result: SyncResult) -> str:
    return "would be" if result.dry_run else "was"


def _duration(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


def _changed_rows(result: SyncResult) -> list[tuple[str, ...]]:
    """The table's cells: only tables whose changes were counted, or all that changed otherwise."""
    numbers = (
        (name, each.rows, each.inserted, each.updated, each.deleted)
        for name, each in result.tables.items()
        if each.changed
    )
    # What is left out of a long list is what holds the fewest rows.
    shown = sorted(numbers, key=lambda row: row[1] == 0)
    return [(name, *("–" if n is None else f"{n:,}" for n in counts)) for name, *counts in shown]


def _text_table(result: SyncResult) -> Iterator[str]:
    rows = _changed_rows(result)
    shown = [_COLUMNS, *rows[:_SHOWN]] if rows else []
    widths = [max((len(row[place]) for row in shown), default=0) for place in range(len(_COLUMNS))]
    for row in shown:
        name, *numbers = (
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  " + "  ".join([name, *numbers])
    if len(rows) > _SHOWN:
        yield f"  and {len(rows) - _SHOWN} more tables"


def _html_table(result: SyncResult) -> str:
    rows = _changed_rows(result)
    if not rows:
        return ""
    head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows[:_SHOWN]
    )
    more = f"<div>and {len(rows) - _SHOWN} more tables</div>" if len(rows) > _SHOWN else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
