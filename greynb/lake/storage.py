"""Parquet files on S3-like storage: letting DuckDB at those of one lake, and what its errors there mean.

The keys go in as a secret of the engine, which shows them to nobody and takes them for the lake's folder
alone. Whether the server is there is asked first, and while something waits for it (`answers`), as DuckDB
itself would try for two minutes.
"""

from __future__ import annotations

import re
import socket
import ssl
from contextlib import closing, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Any, Final

import duckdb

from greynb.databases.extension import has_extension
from greynb.databases.identifiers import literal
from greynb.databases.relations import stop_if_interrupted
from greynb.errors import DatabaseError, RoutingError, UnreadableDatabase, UsageError
from greynb.routing.storage import S3, Storage

if TYPE_CHECKING:
    from greynb.routing import Server

PATIENCE: Final = 3.0
"""Seconds that the server has to accept a connection."""
_SECRET: Final = "__greynb_s3"
_SCHEME: Final = "s3://"
_STATUS: Final = re.compile(r"\(HTTP(?: code)? (\d{3})\b")
_UNANSWERED: Final = re.compile(r"(.*?) error for HTTP (?:HEAD|GET|PUT|POST|DELETE) to ")
_OBJECT: Final = re.compile(r"'(?:s3|https?)://([^']*)'")


def authorise(con: duckdb.DuckDBPyConnection, server: Server, folder: str) -> None:
    """Let DuckDB read and write a lake's folder, where that is on S3.

    Parameters
    ----------
    con
        An instance with the extension httpfs, if that is installed, whose configuration is not locked yet.
    server
        The lake.
    folder
        Where its files are.

    Raises
    ------
    UsageError
        It is storage of another kind, or the extension is not installed.
    DatabaseError
        The server cannot be reached in time.
    RoutingError
        The variables do not say which server and keys.
    """
    if "://" not in folder:
        return
    if not folder.startswith(_SCHEME):
        raise UsageError(
            f"a lake's files are in a folder or on S3, and not at {folder.partition('://')[0]}://…",
            hint="set LAKE_DATA_PATH to a folder or to s3://bucket/folder",
        )
    if not has_extension("httpfs"):
        raise UsageError(
            "a lake on S3 needs DuckDB's extension, which is not installed", hint='pip install "greynb[lake]"'
        )
    s3 = _storage(server).s3()
    probe(server, s3)
    if s3.authorities:
        con.execute(f"SET GLOBAL ca_cert_file = {literal(s3.authorities)}")
    if failed := _keep(con, s3, folder):
        raise DatabaseError(f"DuckDB does not take the keys for S3: {failed}", path=server.name)


def check_new(con: duckdb.DuckDBPyConnection, server: Server, folder: str) -> None:
    """Look at the folder on S3 that a lake is to be made in, before the catalogue names it for good.

    Raises
    ------
    UsageError
        There is something in it, which the lake's upkeep would take for what it left behind, and remove.
    DatabaseError, RoutingError
        As for `authorise`; or the server refuses to show the folder.
    """
    if "://" not in folder:
        return
    folder = f"{folder.rstrip('/')}/"
    authorise(con, server, folder)
    try:
        found = con.execute(f"SELECT file FROM glob({literal(folder + '**')}) LIMIT 1").fetchone()
    except duckdb.Error as error:
        stop_if_interrupted(error)
        failed = trouble(error, server)
        if failed is None:
            raise
        raise failed from None
    if found:
        raise UsageError(
            f"the folder for a new lake's files is not empty: {found[0]}",
            hint="set LAKE_DATA_PATH to an empty one, as a lake's upkeep removes what it does not know",
        )


def probe(server: Server, s3: S3 | None = None) -> None:
    """Raise `DatabaseError` where nothing listens; of a proxy that is not known."""
    if _storage(server).is_proxied:
        return
    s3 = s3 or _storage(server).s3()
    try:
        socket.create_connection((s3.host, s3.port), timeout=PATIENCE).close()
    except OSError as error:
        said = (
            "it did not answer in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        )
        raise _unreachable(server, s3, said) from None


def answers(server: Server) -> bool:
    """Whether the server says anything to a new request in time, whatever it says; of a proxy, yes."""
    s3 = _reached(server)
    if s3 is None:
        return True
    kind = partial(HTTPSConnection, context=_any_certificate()) if s3.use_ssl else HTTPConnection
    with closing(kind(s3.host, s3.port, timeout=PATIENCE)) as line:
        try:
            line.request("HEAD", "/")
            line.getresponse()
        except TimeoutError:
            return False
        except (OSError, HTTPException):
            return True
    return True


def addresses(server: Server) -> set[tuple[Any, ...]]:
    """Hosts and ports by which the server's connections are known; none through a proxy."""
    s3 = _reached(server)
    if s3 is None:
        return set()
    try:
        found = socket.getaddrinfo(s3.host, s3.port, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {place[:2] for *_, place in found}


def _reached(server: Server) -> S3 | None:
    """The server that is reached without a proxy; None where it is not known, such as after a change."""
    storage = _storage(server)
    if storage.is_proxied:
        return None
    with suppress(RoutingError):
        return storage.s3()
    return None


def _any_certificate() -> ssl.SSLContext:
    """For a question that tells nothing and believes nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def trouble(error: BaseException | None, server: Server) -> DatabaseError | None:
    """What an error of DuckDB's says of the storage; None where it is about something else."""
    if not isinstance(error, duckdb.Error):
        return None
    text = str(error)
    status, unanswered = _STATUS.search(text), _UNANSWERED.search(text)
    if not status and not unanswered:
        return None
    s3 = _storage(server).s3()
    if unanswered and not status:
        return _unreachable(server, s3, unanswered[1].rpartition("Error: ")[2].lower())
    assert status is not None
    named = _OBJECT.search(text)
    place = named[1].removeprefix(f"{s3.address}/") if named else ""
    return _answered(int(status[1]), text, place, server, s3)


def is_gone(error: duckdb.Error) -> bool:
    """Whether one file of the lake is gone, while the server answers for others."""
    status = _STATUS.search(str(error))
    return status is not None and status[1] == "404" and "NoSuchBucket" not in str(error)


def _answered(status: int, text: str, place: str, server: Server, s3: S3) -> DatabaseError:
    if "NoSuchBucket" in text:
        return UnreadableDatabase(
            f"S3 at {s3.address} has no bucket {place.partition('/')[0]}",
            path=server.name,
            hint="make it there, or set LAKE_DATA_PATH to one that is there",
        )
    if status == 404:
        return UnreadableDatabase(
            f"a file of the lake is gone from S3 at {s3.address}: {place}",
            path=server.name,
            hint="`greynb sync --mode full` publishes all rows anew",
        )
    # Who gives no keys is told 400 by some servers, where the answer has no body, and 412 at a listing.
    if status in (401, 403) or (status in (400, 412) and s3.key is None):
        return UnreadableDatabase(
            f"S3 at {s3.address} refused the keys, or what they may do (HTTP {status}): {place}",
            path=server.name,
            hint=f"check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: {s3.keys_by}",
        )
    return DatabaseError(
        f"S3 at {s3.address} answered with HTTP {status}: {place}",
        path=server.name,
        hint=f"is AWS_REGION={s3.region} the bucket's?" if status in (301, 307, 400) else "try again",
    )


def _unreachable(server: Server, s3: S3, said: str) -> DatabaseError:
    hint = f"is that the right server ({s3.host_by}), and does a firewall let it through?"
    if "ssl" in said:
        hint = (
            "set AWS_CA_BUNDLE to a file with the certificate that signed the server's; if the server speaks"
            " no TLS, write http:// in AWS_ENDPOINT_URL_S3"
        )
    return DatabaseError(f"S3 at {s3.address} cannot be reached: {said}", path=server.name, hint=hint)


def _storage(server: Server) -> Storage:
    return server.storage or Storage()


def _keep(con: duckdb.DuckDBPyConnection, s3: S3, folder: str) -> str:
    """Give the keys to the engine; returns what failed."""
    options = {
        "SCOPE": folder,
        "ENDPOINT": s3.address,
        "URL_STYLE": "vhost" if s3.is_aws else "path",
        "USE_SSL": "true" if s3.use_ssl else "false",
        "REGION": s3.region,
        "KEY_ID": s3.key,
        "SECRET": s3.secret,
        "SESSION_TOKEN": s3.token,
    }
    given = ", ".join(f"{name} {literal(text)}" for name, text in options.items() if text)
    try:
        con.execute(f"CREATE OR REPLACE TEMPORARY SECRET {_SECRET} (TYPE s3, {given})")
    except duckdb.Error as error:
        return type(error).__name__  # its words could repeat a key
    return ""
