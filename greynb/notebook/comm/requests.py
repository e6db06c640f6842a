"""What a front end may ask, and the answers as plain values for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from greynb.errors import GreynbError, UsageError
from greynb.notebook import recent, running
from greynb.notebook.comm import views
from greynb.routing import Settings

Request = Mapping[str, Any]


def answer(request: Request) -> dict[str, Any]:
    """Answer one request; whatever goes wrong is in the answer.

    Parameters
    ----------
    request
        ``{"id": …, "do": NAME, …}`` with what that request takes.

    Returns
    -------
    dict
        ``{"id": …, "answer": …}``, or ``{"id": …, "error": {"message": …, "hint": …}}``.
    """
    try:
        do = _REQUESTS.get(str(request.get("do")))
        if do is None:
            raise UsageError(f"there is no request {request.get('do')!r}", hint="restart the kernel")
        return {"id": request.get("id"), "answer": do(request)}
    except GreynbError as error:
        return _failed(request, error.message, error.hint)
    except Exception as error:  # a front end would wait for ever
        return _failed(request, f"{type(error).__name__}: {error}", None)


def _failed(request: Request, message: str, hint: str | None) -> dict[str, Any]:
    return {"id": request.get("id"), "error": {"message": message, "hint": hint or ""}}


def _tables(_request: Request) -> list[dict[str, Any]]:
    _must_be_idle()
    return views.tables(Settings.current().route("analytics"))


def _columns(request: Request) -> list[dict[str, Any]]:
    _must_be_idle()
    return views.columns(Settings.current().route("analytics"), str(request["table"]))


def _versions(_request: Request) -> list[dict[str, Any]]:
    from greynb import api

    return [each.as_dict() for each in api.history()]


def _queries(_request: Request) -> list[dict[str, Any]]:
    return [each.as_dict() for each in recent.last()]


def _pin(request: Request) -> str:
    from greynb import connections

    _must_be_idle()
    return connections.pin(Settings.current().route("analytics"), str(request["version"])).id


def _unpin(_request: Request) -> str:
    from greynb import connections

    _must_be_idle()
    route = Settings.current().route("analytics")
    return (connections.unpin(route) or connections.analytics_session(route).snapshot).id


def _rollback(request: Request) -> str:
    from greynb import api

    _must_be_idle()
    return str(api.rollback(str(request["version"])))


def _must_be_idle() -> None:
    """Refuse what would wait for a query that runs."""
    task = running.now()
    if task is not None:
        label = task.as_dict()["label"]
        raise UsageError(f"{label} is running a query", hint="wait for its end, or stop it")


def _format(request: Request) -> str:
    from greynb.notebook.formatting import format_sql

    return format_sql(str(request["text"]))


_REQUESTS: dict[str, Callable[[Request], Any]] = {
    "status": views.status,
    "tables": _tables,
    "columns": _columns,
    "versions": _versions,
    "queries": _queries,
    "pin": _pin,
    "unpin": _unpin,
    "rollback": _rollback,
    "format": _format,
}
