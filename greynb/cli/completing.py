"""What a shell completes: the words that go where a command wants a version, a table, a file.

It runs at each press of Tab, so nothing here imports pandas, DuckDB or the publisher, and nothing waits:
what cannot be read at once is not offered.
"""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import argcomplete
from argcomplete.completers import BaseCompleter, DirectoriesCompleter, FilesCompleter

from greynb.cli.parser import Parser
from greynb.databases.generations import generation_at, generations, home_of, own_target
from greynb.databases.sqlite import open_readonly
from greynb.errors import GreynbError
from greynb.routing import Role, Settings

Completer = Callable[..., Any]
_PATIENCE: Final = 0.1
"""Seconds that a locked file is waited for."""
_FORMATS: Final = ("html", "pdf", "xlsx", "md")


def complete(parser: Parser) -> None:
    """Answer the shell and end the process."""
    for command in _parsers(parser):
        for action in command._actions:
            if action.choices is None:
                action.completer = KINDS.get(str(action.metavar), _Nothing())  # type: ignore[attr-defined]
    argcomplete.autocomplete(parser, always_complete_options="long", default_completer=_Nothing())


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _parsers(each)


class _Nothing(BaseCompleter):
    """For values that nobody can list: lengths of time, numbers, names that are new."""

    def __call__(self, **_: Any) -> list[str]:
        return []


def versions(**_: Any) -> Mapping[str, str]:
    """The versions of analytics, each with its time and mode."""
    path = _path("analytics")
    return {
        each.folder.name: f"{each.manifest.published:%Y-%m-%d %H:%M} {each.manifest.mode}"
        for each in (generations(home_of(own_target(path))) if path else ())
        if each.manifest is not None
    }


def tables(**_: Any) -> list[str]:
    """The tables of the version that readers see; before there is one, those of staging."""
    path = _path("analytics")
    current = generation_at(own_target(path)) if path else None
    manifest = current.manifest if current else None
    return sorted(manifest.rows) if manifest else staging_tables()


def staging_tables(**_: Any) -> list[str]:
    """The tables of staging."""
    return _staging("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'")


def columns(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
    """The columns of the table that the line names already."""
    return _staging("SELECT name FROM pragma_table_info(?)", parsed_args.table or "")


def formats(prefix: str, **_: Any) -> list[str]:
    """One more format behind the commas."""
    before = prefix.rpartition(",")[0]
    there = before.split(",")
    return [f"{before},{each}" if before else each for each in _FORMATS if each not in there]


def notebooks(prefix: str, **_: Any) -> list[str]:
    """The notebooks that come along, and those of the folder."""
    from greynb.report.shipped import names

    return [*names(), *files(prefix, suffixes=("ipynb",))]


def guarded(parsed_args: argparse.Namespace, prefix: str, **_: Any) -> list[str]:
    """What `guard` takes, and then the files of the command."""
    words = parsed_args.words or []
    if not words:
        return ["list", "restore", "--"]
    if words[0] == "restore":
        return _backups()
    return files(prefix) if words[0] == "--" else []


def files(prefix: str, suffixes: tuple[str, ...] = (), **_: Any) -> list[str]:
    """Files and folders; hidden ones, such as those of the versions, where the word begins like that."""
    return _shown(FilesCompleter(suffixes)(prefix), prefix)


def folders(prefix: str, **_: Any) -> list[str]:
    """Folders, as `files` has them."""
    return _shown(DirectoriesCompleter()(prefix), prefix)


def _shown(paths: Iterable[str], prefix: str) -> list[str]:
    hidden = prefix.rpartition("/")[2].startswith(".")
    return [each for each in paths if hidden or not each.rstrip("/").rpartition("/")[2].startswith(".")]


def _backups() -> list[str]:
    from greynb.guarding.backups import backups

    path = _path("staging")
    return [each.id for each in backups(path)] if path else []


def _path(role: Role) -> Path | None:
    try:
        return Settings.current().route(role).path
    except GreynbError:
        return None


def _staging(sql: str, *values: str) -> list[str]:
    path = _path("staging")
    if path is None:
        return []
    try:
        with closing(open_readonly(path, timeout=_PATIENCE)) as con:
            return [str(name) for (name,) in con.execute(sql, values)]
    except (sqlite3.Error, GreynbError):
        return []


KINDS: Final[Mapping[str, Completer]] = {
    "VERSION": versions,
    "V1": versions,
    "V2": versions,
    "T": tables,
    "TABLE": staging_tables,
    "COLUMN": columns,
    "FORMATS": formats,
    "NOTEBOOK": notebooks,
    "-- CMD …": guarded,
    "SCRIPT": files,
    "FILE": files,
    "PATH": files,
    "DIR|FILE": files,
    "DIR": folders,
}
"""By the word that stands for the value in the help."""
