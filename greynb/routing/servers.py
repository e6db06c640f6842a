"""Databases that are no files: PostgreSQL, DuckLake and Spark Connect, from the text of a variable.

Accepted: ``postgresql://`` and ``postgres://`` (with SQLAlchemy's driver, as in ``postgresql+psycopg2://``),
``ducklake:`` before a catalogue's file or its PostgreSQL (an address, or ``postgres:dbname=… host=…``), and
``sc://`` for Spark Connect. The grammar of the first is libpq's:
https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, unquote

from greynb.errors import RoutingError
from greynb.routing.storage import Storage

Kind = Literal["postgresql", "ducklake", "spark"]

_FORM = "Write postgresql://user@host:5432/database."
_ENCODE = "Write special characters of a password as %XX: %40 for @, %2F for /, %3A for :, %3F for ?."
_POSTGRES = re.compile(r"postgres(?:ql)?(?:\+\w+)?://(?P<rest>.*)", re.DOTALL | re.IGNORECASE)
_PLACES = frozenset({"service", "host", "hostaddr", "port", "dbname", "user"})
"""Parameters that say which database it is; of the others some are secrets."""
_SECRETS = frozenset(
    {"password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key"}
)
_KEYWORD = re.compile(
    r"(?P<name>\w+)\s*=\s*(?:'(?P<quoted>(?:[^'\\]|\\.)*)'|(?P<plain>[^\s']*))\s*", re.DOTALL
)
_HOST = re.compile(r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:\[\]]*)(?::(?P<port>\d*))?")
_LOCAL = re.compile(r"\A(?:sqlite|duckdb):")
"""What kind of file the catalogue is; told by the file itself where it is there already."""
_SPARK = re.compile(r"(?P<host>[^\s:/;@]+)(?::(?P<port>\d+))?(?:/?(?:;.*)?)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Server:
    """A database that is no file of this machine.

    Attributes
    ----------
    kind
        ``"postgresql"``, ``"ducklake"`` or ``"spark"``.
    name
        Its address without secrets, for people.
    address
        The address in full, for the library that connects; may hold a password, so no `repr` shows it.
    over
        What it reads from: the catalogue of a DuckLake, what Spark is asked to compute on. None for others.
    storage
        Of a DuckLake: what the environment says of S3-like storage, which its files may lie on.
    """

    kind: Kind
    name: str
    address: str = field(repr=False)
    over: Path | Server | None = None
    storage: Storage | None = field(default=None, repr=False)

    @property
    def database(self) -> str:
        """The last part of the name, short for a table's caption: the database, file, host or service."""
        plain, _, query = self.name.partition("?")
        last = plain.rstrip("/").rpartition("/")[2]
        if last and not last.endswith(":"):
            return last
        values = dict(parse_qsl(query))
        return values.get("dbname") or values.get("service") or self.kind

    def __str__(self) -> str:
        return self.name


def parse_server(text: str, file: Callable[[str], Path]) -> Server | None:
    """Read the address of a server; None for a text that is none.

    Parameters
    ----------
    text
        The value of a variable.
    file
        Makes a path absolute, for the catalogue of a DuckLake that is a file.

    Raises
    ------
    RoutingError
        The address cannot be understood. The message repeats no part of it, as it may hold a password.
    """
    scheme, colon, rest = text.partition(":")
    if not colon:
        return None
    match scheme.lower():
        case "ducklake":
            return _ducklake(rest, file)
        case "sc":
            return spark(text)
    return _postgresql(text)


def spark(text: str, over: Path | Server | None = None) -> Server:
    """Read ``sc://host:15002/;token=…``, which may compute `over` another database."""
    match = _SPARK.fullmatch(text[len("sc://") :]) if text.lower().startswith("sc://") else None
    if match is None:
        raise RoutingError("the Spark address is not understood", hint="write sc://host:15002")
    return Server("spark", f"sc://{match['host']}:{match['port'] or 15002}", text, over)


def without_password(server: Server) -> str:
    """The address of a server as a variable may keep it: all of it but its passwords."""
    if server.kind == "postgresql":
        return _unsecret(server.address)
    if server.kind == "ducklake" and isinstance(server.over, Server):
        form = "" if _POSTGRES.fullmatch(server.over.address) else "postgres:"
        return f"ducklake:{form}{_unsecret(server.over.address)}"
    return server.name


def _unsecret(address: str) -> str:
    match = _POSTGRES.fullmatch(address)
    if match is None:
        found = _KEYWORD.finditer(address)
        return " ".join(each[0].strip() for each in found if each["name"] not in _SECRETS)
    place, _, query = match["rest"].partition("?")
    credentials, at, hosts = place.rpartition("@")
    # libpq decodes the names, too.
    parts = [part for part in query.split("&") if part and unquote(part.partition("=")[0]) not in _SECRETS]
    kept = "&".join(parts)
    return f"postgresql://{credentials.partition(':')[0]}{at}{hosts}" + (f"?{kept}" if kept else "")


def _postgresql(text: str) -> Server | None:
    match = _POSTGRES.fullmatch(text)
    if match is None:
        return None
    place, _, query = match["rest"].partition("?")
    hosts, slash, database = place.partition("/")
    credentials, at, hosts = hosts.rpartition("@")
    user = credentials.partition(":")[0]
    if "@" in credentials or "@" in database or "/" in database:
        raise RoutingError("the PostgreSQL address has more than one @ or / after the user", hint=_ENCODE)
    if any("=" not in part for part in query.split("&") if part):
        raise RoutingError("the PostgreSQL address has a parameter without a value", hint=_ENCODE)
    if not all(_HOST.fullmatch(host) for host in hosts.split(",")):
        raise RoutingError(
            "the PostgreSQL address's host or port is not understood", hint=f"{_FORM} {_ENCODE}"
        )
    places = "&".join(part for part in query.split("&") if part.partition("=")[0] in _PLACES)
    shown = f"?{places}" if places else ""
    return Server(
        "postgresql",
        f"postgresql://{user}{at}{hosts}{slash}{database}{shown}",
        f"postgresql://{match['rest']}",
    )


def _ducklake(rest: str, file: Callable[[str], Path]) -> Server:
    over: Path | Server
    if server := _postgresql(rest):
        over = server
    elif rest.startswith("postgres:"):
        over = _keywords(rest.removeprefix("postgres:"))
    elif path := _LOCAL.sub("", rest):
        over = file(path)
    else:
        raise RoutingError(
            "the ducklake: address names no catalogue",
            hint="write ducklake:/path/catalogue.ducklake or ducklake:postgresql://user@host/database",
        )
    return Server("ducklake", f"ducklake:{over}", f"ducklake:{rest}", over)


def _keywords(text: str) -> Server:
    """Read libpq's other form, ``host=… dbname=…``; its name is that of the same server as an address."""
    if server := _postgresql(text):
        return server
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        match = _KEYWORD.match(text, at)
        if match is None:
            raise RoutingError(
                "the catalogue's connection is not understood", hint="write host=… dbname=… user=…"
            )
        found[match["name"]] = match["plain"] if match["quoted"] is None else match["quoted"]
        at = match.end()
    return Server("postgresql", _named(found), text.strip())


def _named(values: Mapping[str, str]) -> str:
    user = f"{values['user']}@" if "user" in values else ""
    port = f":{values['port']}" if "port" in values else ""
    return f"postgresql://{user}{values.get('host', '')}{port}/{values.get('dbname', '')}"
