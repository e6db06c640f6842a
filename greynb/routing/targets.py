"""From the text of a variable (a path or a URL) to the file or server it means.

Accepted: plain paths (``~`` expands), ``sqlite:///relative``, ``sqlite:////absolute`` (with the drivers
``pysqlite`` and ``aiosqlite``), and SQLite's own ``file:`` addresses. Paths in addresses are
percent-decoded. Servers are read by `greynb.routing.servers`. An address is never repeated in an error,
because it may hold a password.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote

from greynb.errors import RoutingError
from greynb.routing.servers import Server, parse_server

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):(.*)", re.DOTALL)
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_CONNECTION = re.compile(r"\bpassword\s*=|^(?:postgres(?:ql)?|mysql):", re.IGNORECASE)
"""How connections to servers are also written, which as a file's name would be shown, password and all."""
_FORMS = "write sqlite:///relative/file.db, sqlite:////absolute/file.db, or just the path"


class Target(NamedTuple):
    """A file, absolute (symlinks and ``..`` as typed), or a server; and a file's URL parameters."""

    place: Path | Server
    options: Mapping[str, str]

    @property
    def path(self) -> Path:
        """The file.

        Raises
        ------
        RoutingError
            It is a server.
        """
        return file_of(self.place)


def file_of(place: Path | Server, role: str | None = None) -> Path:
    """The file; for what is done to files alone.

    Raises
    ------
    RoutingError
        It is a server.
    """
    if isinstance(place, Server):
        raise RoutingError(
            f"this works on a SQLite file, and {role or 'that'} is a {_KINDS[place.kind]} database",
            path=place.name,
            hint=_INSTEAD.get(place.kind, "use the server's own tools for it, or name a file"),
        )
    return place


_INSTEAD = {"ducklake": "`greynb history` lists its versions, and `%greynb pin VERSION` shows what one held"}
_KINDS = {"postgresql": "PostgreSQL", "ducklake": "DuckLake", "spark": "Spark"}


def parse_target(text: str, *, base: Path) -> Target:
    """Read a path or URL; a relative one starts at `base`.

    Raises
    ------
    RoutingError
        The text names no single SQLite file, and no server, that greynb can use. The message never repeats
        an address.
    """
    # A cell asks twice, the same each time; what `~` means, which may be written `%7E`, can change.
    parse = _parse if "~" in text or "%" in text else _parse_once
    target = parse(text.strip(), base)
    # A stat that fails (no permission, name too long) is the opener's to report, with the file's role.
    if isinstance(target.place, Path) and os.path.isdir(target.place):  # noqa: PTH112 - never raises
        raise _folder(target.place)
    return target


def _parse(text: str, base: Path) -> Target:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        raise RoutingError("the value is wrapped in quotes", hint="write it without the quotes")
    if text == ":memory:":
        raise _memory()
    match = _SCHEME.fullmatch(text)
    scheme = match[1].lower() if match else ""
    if match and scheme in _PARSERS:
        path, query = _PARSERS[scheme](match[2])
        # A drive letter follows a slash in file:///C:/data.db and in sqlite:////C:/data.db.
        path = path[1:] if path.startswith("/") and _DRIVE.match(path, 1) else path
        return Target(_file(path, base), _options(query))
    if server := parse_server(text, lambda path: _file(path, base)):
        return Target(server, {})
    if "://" in text or (match and match[2].startswith("/")):
        raise RoutingError(
            f"greynb cannot use {scheme or 'this kind of'} addresses",
            hint=f"{_FORMS}; servers: postgresql://user@host/database, ducklake:…, sc://host:15002",
        )
    return Target(_file(text, base), {})


_parse_once = lru_cache(maxsize=64)(_parse)


def _sqlite_url(rest: str) -> tuple[str, str]:
    if not rest.startswith("//"):
        raise RoutingError("the sqlite address lacks its three slashes", hint=_FORMS)
    database, _, query = rest[2:].partition("?")
    if database and not database.startswith("/"):
        raise RoutingError("the sqlite address names a server where a file belongs", hint=_FORMS)
    path = unquote(database[1:], errors="surrogateescape")
    if path in ("", ":memory:"):
        raise _memory()
    if path.startswith("file:") and _flag(query, "uri"):
        return _file_url(database[len("/file:") :] + "?" + _without(query, "uri"))
    return path, query


def _file_url(rest: str) -> tuple[str, str]:
    address, _, query = rest.partition("?")
    if "#" in address:
        raise RoutingError("a file: address ends at its #", hint="write %23 for a # in a name")
    if address.startswith("//"):
        server, slash, path = address[2:].partition("/")
        if server.lower() not in ("", "localhost"):
            raise RoutingError("the file: address names a server where a file belongs", hint=_FORMS)
        address = slash + path
    path = unquote(address, errors="surrogateescape")
    if path in ("", ":memory:"):
        raise _memory()
    return path, query


_PARSERS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "sqlite": _sqlite_url,
    "sqlite+pysqlite": _sqlite_url,
    "sqlite+aiosqlite": _sqlite_url,
    "file": _file_url,
}


def _file(text: str, base: Path) -> Path:
    if "\0" in text:
        raise RoutingError("the path holds a NUL character")
    if _CONNECTION.search(text):
        raise RoutingError(
            "the value is a connection to a server, in a form that greynb does not read",
            hint="write postgresql://user@host/database, or ducklake:postgres: before host=… dbname=…",
        )
    if os.name != "nt" and _DRIVE.match(text):
        raise RoutingError(f"{text} is a Windows path, and this system is not Windows")
    try:
        path = base / Path(text).expanduser()
    except RuntimeError as error:
        hint = "write the path in full"
        raise RoutingError(f"the home folder in {text} is not known", hint=hint) from error
    if text.endswith(("/", os.sep)):
        raise _folder(path)
    return path


def _folder(path: Path) -> RoutingError:
    return RoutingError(
        f"{path} is a folder, and a database file belongs there", hint="add the name of the file in it"
    )


def _options(query: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "mode" and value == "memory":
            raise _memory()
        if name not in _KEPT:
            raise RoutingError(
                f"the address has the parameter {name!r}, which greynb does not use",
                hint=f"remove it; these are kept: {', '.join(_KEPT)}",
            )
        if name in options:
            raise RoutingError(f"the address has the parameter {name!r} twice")
        if not _KEPT[name](value):
            raise RoutingError(f"the address's parameter {name!r} does not have a value that greynb can use")
        options[name] = value
    return options


def _is_seconds(value: str) -> bool:
    try:
        return 0 <= float(value) < math.inf
    except ValueError:
        return False


# check_same_thread is for other tools that share the address: greynb keeps threads apart by itself.
_KEPT: Mapping[str, Callable[[str], bool]] = {
    "timeout": _is_seconds,
    "mode": lambda value: value == "ro",
    "check_same_thread": lambda value: value.lower() in ("true", "false", "0", "1"),
}


def _flag(query: str, name: str) -> bool:
    return any(key == name and value.lower() in ("true", "1") for key, value in parse_qsl(query))


def _without(query: str, name: str) -> str:
    return "&".join(part for part in query.split("&") if part.partition("=")[0] != name)


def _memory() -> RoutingError:
    return RoutingError(
        "an in-memory database cannot serve a role: it belongs to one connection, so neither the other role "
        "nor the next process would see it",
        hint="name a file",
    )
