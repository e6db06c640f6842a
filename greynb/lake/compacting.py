"""Making a lake readable for those who only see its files, such as Spark.

What stands in the catalogue goes into files, files with deleted rows are written again without these, and
small neighbours are joined. The rows stay the same, and older versions can still be read by DuckDB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from greynb.databases.identifiers import literal
from greynb.lake.attaching import ALIAS
from greynb.lake.committing import commit

if TYPE_CHECKING:
    import duckdb

_STEPS: Final = (
    "CALL ducklake_flush_inlined_data({lake})",
    "CALL ducklake_rewrite_data_files({lake}, delete_threshold => 0)",
    "CALL ducklake_merge_adjacent_files({lake})",
)
"""Each in a transaction of its own: DuckLake does not mix them. One with nothing to do makes no snapshot."""


def compact(con: duckdb.DuckDBPyConnection, version: str) -> None:
    """Bring the newest snapshot into plain files, as further snapshots of the same version.

    Parameters
    ----------
    con
        The lake attached for writing, outside of a transaction.
    version
        The version that the newest snapshot holds.
    """
    for step in _STEPS:
        con.execute("BEGIN")
        con.execute(step.format(lake=literal(ALIAS))).fetchall()
        commit(con, f"{version} compacted", {"mode": "compacted"})
