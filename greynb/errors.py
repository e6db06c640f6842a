"""Every error that greynb raises on purpose, as one tree.

::

    GreynbError
    ├── RoutingError          the environment does not say which file serves a role
    ├── DatabaseError         something about one database file
    │   ├── MissingDatabase   the file is not there
    │   ├── UnreadableDatabase  not SQLite, corrupt, encrypted, or not permitted
    │   ├── DatabaseLocked    another process kept the file locked for too long
    │   ├── QueryError        the engine refused a statement
    │   ├── WriteRefused      a statement would have left the read side's fence
    │   └── LoadError         rows that do not fit the table they are loaded into
    ├── ParameterError        a `:name` of a cell that cannot be bound
    ├── UsageError            a magic, option or command used in a way it does not have
    ├── PublishError          a publication that could not be made; the old version stands
    │   └── PublisherBusy     another publisher is at work on the same analytics file
    └── QueryInterrupted      the user stopped a running query; the connection stays usable

An error says what happened, on which role and file, which variable chose that file, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Self


class GreynbError(Exception):
    """The base of all errors of greynb.

    Parameters
    ----------
    message
        What happened, in one sentence, without a final full stop where it ends in a name.
    detail
        More lines to show as they are, for example the statement's line with a caret under it.
    role
        ``"staging"`` or ``"analytics"``.
    path
        The file (or server address without password) that it happened on.
    chosen_by
        What chose that file, for example ``"ANALYTICS_DB_PATH in /project/.env"``.
    hint
        What to do next, as one sentence.
    """

    def __init__(
        self,
        message: str,
        *,
        detail: str | None = None,
        role: str | None = None,
        path: str | PathLike[str] | None = None,
        chosen_by: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.role = role
        self.path = path
        self.chosen_by = chosen_by
        self.hint = hint

    def at(
        self,
        *,
        role: str | None = None,
        path: str | PathLike[str] | None = None,
        chosen_by: str | None = None,
    ) -> Self:
        """Fill in where it happened, keeping what is already known, and return the error itself."""
        self.role = self.role or role
        self.path = self.path or path
        self.chosen_by = self.chosen_by or chosen_by
        return self

    def __str__(self) -> str:
        place = " · ".join(
            part
            for part in (
                self.role,
                str(self.path) if self.path else None,
                f"chosen by {self.chosen_by}" if self.chosen_by else None,
            )
            if part
        )
        lines = [self.message, self.detail, f"  on: {place}" if place else None]
        lines.append(f"  do: {self.hint}" if self.hint else None)
        return "\n".join(line for line in lines if line)


class RoutingError(GreynbError):
    """The environment does not say, or says in a way that is not understood, which file serves a role."""


class DatabaseError(GreynbError):
    """Something about one database file."""


class MissingDatabase(DatabaseError):
    """The file is not there."""


class UnreadableDatabase(DatabaseError):
    """The file is not SQLite, is corrupt or encrypted, or may not be read."""


class DatabaseLocked(DatabaseError):
    """Another process kept the file locked for longer than the stated time."""


class QueryError(DatabaseError):
    """The engine refused a statement."""


class WriteRefused(DatabaseError):
    """A statement that would have written, or read outside the analytics file, was stopped by the gate."""


class LoadError(DatabaseError):
    """Rows that do not fit the table they are loaded into."""


class ParameterError(GreynbError):
    """A parameter of a cell that cannot be bound."""


class UsageError(GreynbError):
    """A magic, an option or a command used in a way it does not have."""


class PublishError(GreynbError):
    """A publication that could not be made; the version published before is untouched."""


class PublisherBusy(PublishError):
    """Another publisher is at work on the same analytics file; it may publish all that is needed."""


class QueryInterrupted(GreynbError):
    """The user stopped a running query; the connection stays usable.

    Nothing was written, unless the message says that the query had finished already.
    """


@contextmanager
def telling_interrupts(message: str) -> Iterator[None]:
    """Make Ctrl-C during the block a `QueryInterrupted` that says what it was in the middle of."""
    try:
        yield
    except KeyboardInterrupt:
        raise QueryInterrupted(message) from None
