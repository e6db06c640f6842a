import json
from contextlib import contextmanager

from scripts.db_utils import open_sqlite_readonly, open_sqlite_writable


@contextmanager
def reading():
    con = open_sqlite_readonly()
    try:
        yield con
    finally:
        con.close()


def save(con, rows):
    con.executemany("REPLACE INTO predictions (race_id, dog, p) VALUES (?, ?, ?)", rows)  # expect: readonly-write:error


def main():
    with reading() as con:
        con.execute("SELECT 1; -- INSERT INTO t is only a comment")
        con.execute("CREATE TEMP TABLE picks AS SELECT * FROM predictions")
        con.execute("WITH old AS (SELECT race_id FROM races) DELETE FROM predictions WHERE race_id IN old")  # expect: readonly-write:error
        save(con, json.loads("[]"))
    writer = open_sqlite_writable()
    writer.execute("DELETE FROM predictions WHERE p IS NULL")
    cursor = writer.cursor()
    cursor.execute("INSERT INTO predictions (race_id) VALUES (?)", ("R1",))
