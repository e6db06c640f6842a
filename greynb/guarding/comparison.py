"""What changed between a backup and the state after it, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Rows = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Row counts before and after, and what speaks for going back; prints as a table.

    Attributes
    ----------
    before, after
        Rows by table; None for a table that could not be counted.
    damage
        What ``integrity_check`` complained of after.
    failure
        How the guarded work ended, where it did not end well.
    untouched
        Whether nothing was written to the file at all.
    problem
        Why nothing could be compared, where that is so.
    """

    before: Rows
    after: Rows
    damage: tuple[str, ...] = ()
    failure: str | None = None
    untouched: bool = False
    problem: str | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """Tables that had rows and are gone or empty."""
        if self.problem:
            return ()
        return tuple(name for name, rows in self.before.items() if rows and self.after.get(name, 0) == 0)

    @property
    def reasons(self) -> tuple[str, ...]:
        """What speaks for going back; empty where nothing does."""
        if self.untouched:
            return ()
        found = [self.failure] if self.failure else []
        found += ["the database is damaged"] if self.damage else []
        found += [f"{', '.join(self.lost)}: all rows are gone"] if self.lost else []
        return tuple(found)

    @property
    def failed(self) -> bool:
        """Whether the work failed, or left a damaged database."""
        return not self.untouched and bool(self.failure or self.damage)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.untouched or self.problem:
            yield f"  not compared: {self.problem}" if self.problem else "  nothing was written"
            return
        names = {**self.before, **self.after}
        changed = [name for name in names if not self._same(name)]
        width = max([len(name) for name in changed], default=0)
        for name in changed:
            yield f"  {name:<{width}}  {_count(self.before, name):>12} → {_count(self.after, name):>12}" + (
                self._said(name)
            )
        same = len(names) - len(changed)
        if same:
            yield f"  {same} tables with as many rows as before"
        yield f"  integrity_check: {self.damage[0] if self.damage else 'ok'}"
        yield from (f"    {line}" for line in self.damage[1:])

    def _same(self, name: str) -> bool:
        absent = object()
        return self.before.get(name, absent) == self.after.get(name, absent)

    def _said(self, name: str) -> str:
        before, after = self.before.get(name), self.after.get(name)
        if name not in self.before:
            return "  new"
        if name not in self.after:
            return "  gone"
        if before is None or after is None:
            return ""
        return f"  {after - before:+,}{'  emptied' if not after else ''}"


def _count(rows: Rows, name: str) -> str:
    if name not in rows:
        return "–"
    count = rows[name]
    return "?" if count is None else f"{count:,}"
