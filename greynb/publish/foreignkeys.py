"""Foreign keys that lead nowhere: counted and reported, no reason not to publish."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping

from greynb.databases.identifiers import literal


def broken_keys(
    con: sqlite3.Connection, changed: Collection[str] | None, before: Mapping[str, int]
) -> tuple[dict[str, int], tuple[str, ...]]:
    """Count the keys that lead nowhere, per table.

    Parameters
    ----------
    con
        An open connection.
    changed
        Tables whose rows may differ from the version before; None for all.
    before
        The counts of that version: they hold where neither a table nor those it refers to changed.

    Returns
    -------
    tuple
        Tables with such keys, and what could not be checked.
    """
    wanted = None if changed is None else {name.lower() for name in changed}
    parents: dict[str, set[str]] = {}
    for table, parent in con.execute(
        'SELECT t.name, lower(f."table") FROM pragma_table_list AS t, pragma_foreign_key_list(t.name) AS f'
        " WHERE t.schema = 'main' AND t.type = 'table'"
    ).fetchall():
        parents.setdefault(table, {table.lower()}).add(parent)
    found, unchecked = {}, []
    for table, linked in parents.items():
        try:
            same = wanted is not None and not linked & wanted
            count = before.get(table, 0) if same else _broken(con, table)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise
            unchecked.append(f"could not check the foreign keys of {table}: {error}")
            continue
        if count:
            found[table] = count
    return found, tuple(unchecked)


def _broken(con: sqlite3.Connection, table: str) -> int:
    return int(con.execute(f"SELECT count(*) FROM pragma_foreign_key_check({literal(table)})").fetchone()[0])
