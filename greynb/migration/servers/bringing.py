"""All that a SQLite file holds brought into PostgreSQL, in one transaction, and compared there."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any

from greynb.migration.contents import Content
from greynb.migration.servers.census import held
from greynb.migration.servers.making import Making
from greynb.migration.servers.parts import Left
from greynb.migration.servers.record import Record
from greynb.migration.servers.sqliteschema import Schema
from greynb.publish.steps import Steps

if TYPE_CHECKING:
    import psycopg


def bring(
    con: psycopg.Connection[Any],
    lite: sqlite3.Connection,
    schema: Schema,
    content: Content,
    source: Path,
    steps: Steps,
) -> tuple[list[Left], tuple[str, ...]]:
    """Make the tables, fill them, make what belongs to them, compare, and note what was done.

    Parameters
    ----------
    con
        Inside a transaction, which the caller commits; see `session.writing`.
    lite, schema
        A file that nobody writes to, and its schema.
    content
        The content hash of each of its tables.
    source
        What it is a copy of.
    steps
        The progress.

    Returns
    -------
    tuple
        What is not carried over, and what is kept otherwise than it is declared.

    Raises
    ------
    UsageError
        PostgreSQL cannot hold what is in the file, or has relations of these names already.
    DatabaseError
        A key cannot be made, or PostgreSQL does not give back what was copied.
    psycopg.Error
        The server gave up.
    """
    with steps.step("census") as told:
        found = held(lite, schema, told)
    making = Making(con, schema, found)
    with steps.step("create"):
        making.tables()
    with steps.step("copy rows") as told:
        making.rows(lite, told)
    with steps.step("keys and indexes") as told:
        making.rest(lite, told)
    with steps.step("compare") as told:
        making.compare(content, told)
    Record(
        source=str(source),
        content={name: str(content[name]) for name in found.columns},
        tables=found.columns,
        statements=schema.statements,
        counters=schema.counters,
        numbers=schema.numbers,
        virtual=schema.virtual,
    ).write(con)
    return making.lefts, found.notices
