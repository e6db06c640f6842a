"""The ways to ask the twelve questions, each as cells of a notebook: what sets it up, and what asks.

``{file}`` is the published SQLite file, ``{native}`` a DuckDB file made by hand, ``{extension}`` DuckDB's
SQLite extension, ``{sql}`` the question.
"""

from __future__ import annotations

from typing import NamedTuple


class Contender(NamedTuple):
    """One way to ask.

    Attributes
    ----------
    title
        For the tables.
    package
        The distribution whose version the tables name.
    set_up
        Cells that run once.
    ask
        The cell that leaves the answer in ``df``.
    target
        The published file that it reads.
    fresh
        Whether every question is the first of a session.
    """

    title: str
    package: str
    set_up: tuple[str, ...]
    ask: str
    target: str = "analytics.db"
    fresh: bool = False


_DUCKDB = (
    "LOAD '{extension}'",
    "ATTACH '{file}' AS season (TYPE sqlite, READ_ONLY)",
    "USE season",
)
_GREYNB = (("%load_ext greynb",), "%%analytics df --no-cache\n{sql}")
_POLARS = 'df = polars.read_database_uri("""{sql}""", "sqlite://{file}", engine="%s")'

CONTENDERS = {
    "read_sql": Contender(
        "`pandas.read_sql` on sqlite3",
        "pandas",
        ("import sqlite3, pandas", "con = sqlite3.connect('{file}')"),
        'df = pandas.read_sql("""{sql}""", con)',
    ),
    "connectorx": Contender(
        "polars, connectorx", "connectorx", ("import polars, connectorx",), _POLARS % "connectorx"
    ),
    "adbc": Contender(
        "polars, ADBC",
        "adbc-driver-sqlite",
        ("import polars, adbc_driver_sqlite.dbapi",),
        _POLARS.replace("//{file}", "///{file}") % "adbc",
    ),
    "attached": Contender(
        "DuckDB, attached file",
        "duckdb",
        ("import duckdb, pandas", "con = duckdb.connect()", *(f'con.execute("{each}")' for each in _DUCKDB)),
        'df = con.execute("""{sql}""").df()',
    ),
    "jupysql": Contender(
        "JupySQL",
        "jupysql",
        (
            "%load_ext sql",
            "%config SqlMagic.displaycon = False",
            "%config SqlMagic.feedback = 0",
            "%config SqlMagic.autopandas = True",
            "%config SqlMagic.named_parameters = 'disabled'",
            "%sql duckdb://",
            *(f"%sql {each}" for each in _DUCKDB),
        ),
        "%%sql df <<\n{sql}",
    ),
    "magic_duckdb": Contender(
        "magic_duckdb",
        "magic-duckdb",
        ("%load_ext magic_duckdb", *(f"%dql {each}" for each in _DUCKDB)),
        "%%dql -o df\n{sql}",
    ),
    "native": Contender(
        "native DuckDB file",
        "duckdb",
        ("import duckdb, pandas", "con = duckdb.connect('{native}', read_only=True)"),
        'df = con.execute("""{sql}""").df()',
    ),
    "cold": Contender("greynb, cold, no mirror", "greynb", *_GREYNB, target="cold.db", fresh=True),
    "greynb": Contender("greynb", "greynb", *_GREYNB),
    "synced": Contender("greynb, after an incremental sync", "greynb", *_GREYNB, target="synced.db"),
}
