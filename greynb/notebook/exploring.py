"""``--explore`` and ``df.greynb.explore()``: quak, a table that sorts, filters and draws its columns.

It is a widget, which only a live notebook can show. So it stands in an output of its own under the static
table, which is what GitHub, exports and a notebook that is opened again show. The widget's scripts come with
the packages that it is made of; nothing is fetched from elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from greynb.databases.identifiers import quote
from greynb.errors import UsageError

if TYPE_CHECKING:
    import duckdb

TABLE: Final = "result"
"""What the table is called in the SQL that the widget shows."""
_ELSEWHERE: Final = "(an explorer, in a live notebook)"
VIEW: Final = "application/vnd.jupyter.widget-view+json"


def explore(frame: Any) -> None:
    """Display a widget on a DataFrame.

    Raises
    ------
    UsageError
        quak is not installed, or the frame holds what no table can.
    """
    from IPython.display import publish_display_data

    try:
        import quak
    except ImportError as error:
        raise UsageError(
            f"exploring needs {error.name}", hint='pip install "greynb[explore]", and reload the page'
        ) from error
    widget = quak.Widget(_engine(frame), table=TABLE)
    bundle = widget._repr_mimebundle_()
    data: dict[str, Any] = bundle[0] if isinstance(bundle, tuple) else bundle
    # Where there is no widget, the table above is all there is to see.
    shown = {VIEW: data[VIEW], "text/html": "", "text/plain": _ELSEWHERE}
    publish_display_data(shown)  # type: ignore[no-untyped-call]  # IPython's own


def _engine(frame: Any) -> duckdb.DuckDBPyConnection:
    """An engine with the frame alone: the page sends it SQL, which must reach nothing else."""
    import duckdb
    import pyarrow

    from greynb.databases.engine import plain_instance

    con = plain_instance(enable_external_access="false", lock_configuration="true")
    try:
        con.register("given", pyarrow.Table.from_pandas(frame, preserve_index=False))
        columns = con.execute("DESCRIBE given").fetchall()
        con.execute(
            f"CREATE VIEW {TABLE} AS SELECT {', '.join(_read(*each[:2]) for each in columns)} FROM given"
        )
    except (pyarrow.ArrowException, duckdb.Error, TypeError, ValueError) as error:
        con.close()
        raise UsageError(
            f"the result cannot be explored: {str(error).splitlines()[0]}",
            hint="a column of mixed objects can be made text first: frame[column].astype(str)",
        ) from error
    return con


def _read(name: str, kind: str) -> str:
    """A column as a type that the widget knows: with one that it does not know, it shows nothing at all."""
    if kind.startswith("TIMESTAMP_"):
        return f"{quote(name)}::TIMESTAMP AS {quote(name)}"
    known = kind in _KNOWN or kind.startswith(("DECIMAL", "ENUM", "STRUCT", "MAP")) or kind.endswith("]")
    return quote(name) if known else f"{quote(name)}::VARCHAR AS {quote(name)}"


_KNOWN: Final = frozenset(
    """
    BIGINT HUGEINT INTEGER SMALLINT TINYINT UBIGINT UINTEGER USMALLINT UTINYINT DOUBLE FLOAT
    DATE TIMESTAMP TIME BOOLEAN VARCHAR UUID BLOB
    """.split()
) | {"TIMESTAMP WITH TIME ZONE"}
