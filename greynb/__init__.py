"""greynb: SQL cells over a staging and an analytics database, for notebooks.

``%load_ext greynb`` adds ``%%analytics`` (read-only, DuckDB) and ``%%staging`` (writes, SQLite); the
functions below do the same for scripts. Which file serves which role is decided by the environment alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Names are loaded on first use: `%load_ext greynb` must not wait for pandas or DuckDB.
_HOMES = {
    "get_conn": "greynb.api",
    "load": "greynb.api",
    "sync": "greynb.api",
    "evaluate": "greynb.evaluation",
    "Evaluation": "greynb.evaluation",
    "status": "greynb.overview",
    "export": "greynb.report.exports",
    "guard": "greynb.guarding.block",
    "role_of": "greynb.routing",
    "Settings": "greynb.routing",
    "Route": "greynb.routing",
    "Result": "greynb.databases.result",
    "Report": "greynb.report.document.building",
    **dict.fromkeys(
        (
            "GreynbError",
            "RoutingError",
            "DatabaseError",
            "MissingDatabase",
            "UnreadableDatabase",
            "DatabaseLocked",
            "QueryError",
            "WriteRefused",
            "LoadError",
            "ParameterError",
            "UsageError",
            "PublishError",
            "PublisherBusy",
            "QueryInterrupted",
        ),
        "greynb.errors",
    ),
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.api import get_conn as get_conn
    from greynb.api import load as load
    from greynb.api import sync as sync
    from greynb.databases.result import Result as Result
    from greynb.errors import DatabaseError as DatabaseError
    from greynb.errors import DatabaseLocked as DatabaseLocked
    from greynb.errors import GreynbError as GreynbError
    from greynb.errors import LoadError as LoadError
    from greynb.errors import MissingDatabase as MissingDatabase
    from greynb.errors import ParameterError as ParameterError
    from greynb.errors import PublisherBusy as PublisherBusy
    from greynb.errors import PublishError as PublishError
    from greynb.errors import QueryError as QueryError
    from greynb.errors import QueryInterrupted as QueryInterrupted
    from greynb.errors import RoutingError as RoutingError
    from greynb.errors import UnreadableDatabase as UnreadableDatabase
    from greynb.errors import UsageError as UsageError
    from greynb.errors import WriteRefused as WriteRefused
    from greynb.evaluation import Evaluation as Evaluation
    from greynb.evaluation import evaluate as evaluate
    from greynb.guarding.block import guard as guard
    from greynb.overview import status as status
    from greynb.report.document.building import Report as Report
    from greynb.report.exports import export as export
    from greynb.routing import Route as Route
    from greynb.routing import Settings as Settings
    from greynb.routing import role_of as role_of


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'greynb' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Add the magics to a shell; called by ``%load_ext greynb``."""
    from greynb.notebook.extension import load as add

    add(shell)


def unload_ipython_extension(shell: InteractiveShell) -> None:
    """Put back what ``%load_ext greynb`` replaced; called by ``%unload_ext greynb``."""
    from greynb.notebook.extension import unload

    unload(shell)
