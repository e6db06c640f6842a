"""``%greynb history``, ``rollback``, ``verify``, ``pin`` and ``unpin``: the versions of analytics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from greynb import api, connections
from greynb.connections import analytics_session
from greynb.errors import GreynbError, UsageError
from greynb.locating import located
from greynb.notebook import execution
from greynb.notebook.verifying import Verified, verify_file, verify_files
from greynb.routing import Settings

if TYPE_CHECKING:
    import pandas as pd

    from greynb.databases.reading import Version
    from greynb.notebook.config import Greynb
    from greynb.publish import SyncResult
    from greynb.publish.verifying import Verification
    from greynb.report.verifying import FileVerification
    from greynb.routing import Route

T = TypeVar("T")


class Said(str):
    """A sentence that shows as it is, without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _history(words: Sequence[str], _config: Greynb) -> pd.DataFrame:
    import pandas as pd

    from greynb.publish.history import notes

    _at_most(words, 0, "history")
    found = api.history()
    return pd.DataFrame(
        {
            "version": [each.id for each in found],
            "published": pd.to_datetime(
                [str(each.published or "") for each in found], utc=True, format="ISO8601"
            ),
            "mode": [each.mode for each in found],
            "rows": pd.array([each.rows for each in found], dtype="Int64"),
            "bytes": [each.bytes for each in found],
            "seconds": pd.array([each.seconds for each in found], dtype="Float64"),
            "by": [each.who for each in found],
            "disk bytes": [each.disk_bytes for each in found],
            "note": [", ".join(notes(each)) for each in found],
        }
    )


def _rollback(words: Sequence[str], _config: Greynb) -> SyncResult:
    _at_most(words, 1, "rollback [VERSION]")
    return api.rollback(*words)


def _verify(words: Sequence[str], config: Greynb) -> Verification | FileVerification | Verified:
    if len(words) > 1:
        return verify_files(words, config)
    return verify_file(words[0], config) if words else api.verify()


def _pin(words: Sequence[str], config: Greynb) -> Said:
    _at_most(words, 1, "pin [VERSION]")
    kept = _on_analytics(lambda route: connections.pin(route, *words), config)
    return Said(f"pinned to {kept.id}{_published(kept)}; `%greynb unpin` goes back to the newest version")


def _unpin(words: Sequence[str], config: Greynb) -> Said:
    _at_most(words, 0, "unpin")
    newest = _on_analytics(connections.unpin, config)
    if newest is None:
        return Said("nothing was pinned: cells read the newest version")
    return Said(f"back to the newest version, {newest.id}{_published(newest)}")


def _published(snapshot: Version) -> str:
    return f" of {snapshot.published:%Y-%m-%d %H:%M:%S} UTC" if snapshot.published else ""


def _on_analytics(task: Callable[[Route], T], config: Greynb) -> T:
    """Do something with the session of analytics, interruptibly."""
    route = Settings.current().route("analytics")
    try:
        session = analytics_session(route)
        return execution.run(
            lambda: task(route),
            interrupt=session.interrupt,
            progress=session.progress,
            show_progress=config.progress,
            label="analytics",
        )
    except GreynbError as error:
        raise located(error, route) from error.__cause__


def _at_most(words: Sequence[str], count: int, usage: str) -> None:
    if len(words) > count:
        raise UsageError(f"%greynb {usage} takes no word {words[count]!r}", hint=f"%greynb {usage}")


COMMANDS: dict[str, Callable[[Sequence[str], Greynb], object]] = {
    "history": _history,
    "rollback": _rollback,
    "verify": _verify,
    "pin": _pin,
    "unpin": _unpin,
}
