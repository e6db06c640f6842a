"""What publishing costs beside SQLite's own backup: time, memory, and how soon a cell sees a commit.

``make bench-publishing`` runs it and writes ``benchmarks/results/publishing.md`` and ``.svg``. The databases
are seasons of ``greynb demo``, made in a temporary folder and removed. Every publication runs in a process of
its own (publishing_worker.py); what is compared takes turns, so that a busy moment hits both.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from publishing_report import Sizes, Watched, draw, report

HERE = Path(__file__).parent
RACES_PER_MB = 167
AFTER = 15  # seconds that the reader goes on after the writer, for the last publication
CHANGED = ("dog_race_data", "live_odds", "odds_history", "predictions", "race_metadata")
Round = dict[str, dict[str, Any]]


def main() -> int:
    """Measure, write the results, and print them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3, help="at the middle size; one at the others")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 500, 2000], help="MB; compared at 500")
    parser.add_argument("--quick", action="store_true", help="without what is larger than 500 MB")
    parser.add_argument("--watch-seconds", type=float, default=30.0, help="of each writer")
    parser.add_argument("--watch-rounds", type=int, default=2, help="writers alone and beside a watch")
    parser.add_argument("--folder", type=Path, help="where the databases are made; default: TMPDIR")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "publishing.md")
    args = parser.parse_args()
    wanted = [size for size in sorted(args.sizes) if not args.quick or size <= 500]
    middle = min(wanted, key=lambda size: abs(size - 500))
    sizes: Sizes = {}
    watched: dict[float, Watched] = {}
    for size in wanted:
        folder = Path(tempfile.mkdtemp(prefix="greynb-bench-", dir=args.folder))
        try:
            source = folder / "staging.db"
            # In a process of its own: a child's peak of memory begins at its parent's.
            worker("make", source, str(size * RACES_PER_MB))
            say(f"{source.stat().st_size / 1e6:,.0f} MB are made")
            megabytes = source.stat().st_size / 1e6
            sizes[megabytes] = [
                measure(source, folder, seed) for seed in range(args.rounds if size == middle else 1)
            ]
            if size <= middle:
                watched[megabytes] = watch(source, folder, args.watch_seconds, args.watch_rounds)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.with_suffix(".json").write_text(json.dumps({"sizes": sizes, "watched": watched}))
    draw(sizes, args.out.with_suffix(".svg"))
    text = report(sizes, watched)
    args.out.write_text(text, encoding="utf-8")
    args.out.with_suffix(".json").unlink()
    print(text)
    return 0


def measure(source: Path, folder: Path, seed: int) -> Round:
    """One round: SQLite's backup, a full publication, a change of 1 %, an incremental publication."""
    target = folder / "analytics.db"
    found = {"backup": worker("backup", source, folder / "backup.db")}
    found["full"] = worker("publish", source, target, "full")
    rows = change(source, 0.01, seed)
    found["incremental"] = worker("publish", source, target, "incremental")
    found["incremental"]["changed"] = rows
    if found["incremental"]["mode"] != "incremental":
        raise RuntimeError(f"not incremental: {found['incremental']['reason']}")
    say(", ".join(f"{kind} {each['seconds']:.1f} s" for kind, each in found.items()))
    return found


def change(source: Path, part: float, seed: int) -> int:
    """Change a part of the rows all over the big tables: 8 of 10 updated, one deleted, one inserted."""
    rng = random.Random(seed)
    total = 0
    with closing(sqlite3.connect(source)) as con, con:
        for table in CHANGED:
            columns = [name for _, name, *_ in con.execute(f"PRAGMA table_info({table})")]
            text = "confidence_level" if table == "predictions" else "source"
            text = next(name for name in (text, "data_source", "prediction_source") if name in columns)
            (last,) = con.execute(f"SELECT max(rowid) FROM {table}").fetchone()
            chosen = rng.sample(range(1, last + 1), int(last * part))
            tenth = len(chosen) // 10
            updated, deleted = chosen[2 * tenth :], chosen[:tenth]
            con.executemany(
                f"UPDATE {table} SET {text} = ? WHERE rowid = ?", [(f"b{seed}-{n % 9}", n) for n in updated]
            )
            con.executemany(f"DELETE FROM {table} WHERE rowid = ?", [(n,) for n in deleted])
            names = ", ".join(name for name in columns if name not in ("id", "race_id"))
            con.executemany(
                f"INSERT INTO {table} (race_id, {names}) SELECT race_id || ?, {names} FROM {table}"
                " WHERE rowid = ?",
                [(f"-{seed}", n) for n in chosen[tenth : 2 * tenth]],
            )
            total += len(chosen)
    with closing(sqlite3.connect(source)) as con:
        con.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return total


def watch(source: Path, folder: Path, seconds: float, rounds: int) -> Watched:
    """A writer of 2,000 rows/s alone and beside a watch, and when a cell saw its commits."""
    target = folder / "analytics.db"
    alone, beside, lags = [], [], []
    for _ in range(rounds):
        alone.append(_finished(start("write", source, str(seconds))))
        worker("publish", source, target, "incremental")
        watcher = start("watch", source, target)
        reader = start("read", target, str(seconds + AFTER))
        time.sleep(3)  # the reader's and the watcher's imports are not the writer's business
        beside.append(_finished(start("write", source, str(seconds))))
        seen = _finished(reader)["seen"]
        watcher.terminate()
        watcher.wait()
        lags += lags_of(beside[-1]["commits"], seen)
    say(f"watch: lag {statistics.median(lags):.1f} s")
    return {
        "lags": sorted(lags),
        "alone": [{key: each[key] for key in ("rate", "busy")} for each in alone],
        "beside": [{key: each[key] for key in ("rate", "busy")} for each in beside],
    }


def lags_of(commits: Sequence[Sequence[float]], seen: Sequence[Sequence[float]]) -> list[float]:
    """Seconds from the end of each commit until a cell first saw it, or the reader stopped."""
    lags = []
    observations = iter(seen)
    now, newest = next(observations)
    for number, moment in commits:
        while newest < number:
            now, newest = next(observations, (now, sys.maxsize))  # at least until the reader stopped
        lags.append(max(0.0, now - moment))
    return lags


def worker(*arguments: str | Path) -> dict[str, Any]:
    """Run one task of publishing_worker.py in a fresh process, and wait for it."""
    return _finished(start(*arguments))


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Start one task of publishing_worker.py."""
    command = [sys.executable, str(HERE / "publishing_worker.py"), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ)


def _finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a worker ended with {process.returncode}")
    found: dict[str, Any] = json.loads(output)
    return found


def say(text: str) -> None:
    """Tell the one who waits."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
