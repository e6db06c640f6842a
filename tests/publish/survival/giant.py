"""A file beyond 1 GiB, where SQLite's lock-byte page lies (https://www.sqlite.org/fileformat2.html)."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

from greynb.publish import sync
from tests.publish.survival.comparing import content, differences

GIBIBYTE = 1 << 30
_BLOB = 8 << 20


def publish_beyond_a_gibibyte(folder: Path) -> str:
    """Publish it, change it on both sides of the lock-byte page, publish again, and compare."""
    begun = time.monotonic()
    stage = folder / "stage.db"
    target = folder / "analytics.db"
    with closing(sqlite3.connect(stage)) as con:
        con.execute("PRAGMA page_size = 65536")
        con.execute("PRAGMA synchronous = OFF")
        con.execute("CREATE TABLE before (id INTEGER PRIMARY KEY, text TEXT)")
        con.execute("CREATE TABLE big (id INTEGER PRIMARY KEY, content BLOB)")
        con.executemany("INSERT INTO before VALUES (?, ?)", ((i, "x" * 200) for i in range(2000)))
        con.executemany(
            f"INSERT INTO big VALUES (?, zeroblob({_BLOB}))", ((i,) for i in range(GIBIBYTE // _BLOB + 1))
        )
        con.execute("CREATE TABLE after (id INTEGER PRIMARY KEY, text TEXT)")
        con.executemany("INSERT INTO after VALUES (?, ?)", ((i, "y" * 200) for i in range(2000)))
        con.commit()
        assert stage.stat().st_size > GIBIBYTE
        seconds = [sum(sync(stage, target, mode="full").seconds.values())]
        con.execute("UPDATE before SET text = 'changed' WHERE id % 100 = 7")
        con.execute("UPDATE big SET content = x'01' || zeroblob(?) WHERE id = 127", (_BLOB,))
        con.execute("DELETE FROM after WHERE id % 100 = 9")
        con.commit()
    result = sync(stage, target, mode="incremental")
    assert result.mode == "incremental"
    seconds.append(sum(result.seconds.values()))
    assert not differences(content(stage), content(target))
    return (
        f"{stage.stat().st_size / GIBIBYTE:.2f} GiB: full {seconds[0]:.1f} s, incremental {seconds[1]:.1f} s,"
        f" equal; {time.monotonic() - begun:.0f} s"
    )
