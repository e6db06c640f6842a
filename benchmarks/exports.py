"""A million rows of eight columns written by greynb and by pandas, in the same run.

``make bench-exports`` runs it and writes ``benchmarks/results/exports.md``. Every task has a process of its
own, the tasks take turns, and the memory is what the process grew by while it wrote, at its peak (Linux).
greynb's figures are those of `greynb.export`, with the hash of the content and the record; ``rows alone``
are those of its writers without these, as pandas has none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROWS = 1_000_000
TASKS: dict[str, list[str]] = {
    "csv": ["greynb", "rows alone", "pandas"],
    "parquet": ["greynb", "rows alone", "pandas"],
    "json": ["greynb", "rows alone", "pandas"],
    "xlsx": ["greynb", "rows alone", "XlsxWriter, constant_memory", "pandas"],
}


def main() -> int:
    """Measure in child processes, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--out", type=Path, default=HERE / "results" / "exports.md")
    parser.add_argument("--worker", nargs=3, metavar=("FORMAT", "HOW", "FOLDER"))
    args = parser.parse_args()
    if args.worker:
        kind, how, folder = args.worker
        print(json.dumps(work(kind, how, Path(folder))))
        return 0
    with tempfile.TemporaryDirectory(prefix="greynb-bench-") as folder:
        frame(args.rows).to_pickle(Path(folder) / "frame.pkl")
        taken: dict[tuple[str, str], list[dict[str, float]]] = {}
        for number in range(args.rounds):
            for kind, ways in TASKS.items():
                for how in ways[number % len(ways) :] + ways[: number % len(ways)]:
                    found = child(kind, how, folder)
                    taken.setdefault((kind, how), []).append(found)
                    print(
                        f"{kind} {how}: {found['seconds']:.1f} s, load {os.getloadavg()[0]:.1f}", flush=True
                    )
    args.out.write_text(report(taken, args.rounds, args.rows), encoding="utf-8")
    print(args.out.read_text(encoding="utf-8"))
    return 0


def child(kind: str, how: str, folder: str) -> dict[str, float]:
    """Do one task in a process of its own."""
    command = [sys.executable, __file__, "--worker", kind, how, folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def frame(rows: int) -> Any:
    """Eight columns of the usual kinds: a number, two texts, a date, a time, two floats, a flag."""
    import numpy as np
    import pandas as pd

    chance = np.random.default_rng(1)
    start = pd.Timestamp("2025-01-01")
    return pd.DataFrame(
        {
            "id": np.arange(rows),
            "venue": chance.choice(["RICH", "TAR", "SAL"], rows),
            "dog": [f"Dog number {number % 5000}" for number in range(rows)],
            "day": start + pd.to_timedelta(chance.integers(0, 365, rows), "D"),
            "jump": start + pd.to_timedelta(chance.integers(0, 31_536_000, rows), "s"),
            "odds": np.round(chance.random(rows) * 20 + 1, 2),
            "p": chance.random(rows),
            "won": chance.random(rows) < 0.1,
        }
    )


def work(kind: str, how: str, folder: Path) -> dict[str, float]:
    """Write the frame once: seconds, CPU seconds, megabytes of the file, and of memory at the peak."""
    import pandas as pd

    df = pd.read_pickle(folder / "frame.pkl")
    path = folder / f"{os.getpid()}.{kind}"
    write = _WAYS[how](kind)
    before = peak(reset=True)
    begun, worked = time.perf_counter(), time.process_time()
    write(df, path)
    seconds, worked = time.perf_counter() - begun, time.process_time() - worked
    grown = peak() - before
    size = path.stat().st_size
    for each in folder.glob(f"{os.getpid()}.*"):
        each.unlink()
    return {
        "load": os.getloadavg()[0],
        "seconds": seconds,
        "cpu": worked,
        "MB": size / 1e6,
        "memory": grown / 1e6,
    }


def peak(*, reset: bool = False) -> float:
    """Bytes of memory at the peak since the last reset."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    if reset:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    line = next(line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmHWM"))
    return float(line.split()[1]) * 1024


Write = Callable[[Any, Path], Any]


def _greynb(_kind: str) -> Write:
    import greynb

    return greynb.export


def _rows_alone(kind: str) -> Write:
    from greynb.report.exports.formats import FORMATS
    from greynb.report.exports.job import Job
    from greynb.report.exports.tables import as_table

    return lambda df, path: FORMATS[f".{kind}"].write(as_table(df), path, Job("x", dict))


def _pandas(kind: str) -> Write:
    return {
        "csv": lambda df, path: df.to_csv(path, index=False),
        "parquet": lambda df, path: df.to_parquet(path, index=False, compression="zstd"),
        "json": lambda df, path: df.to_json(path, orient="records", date_format="iso"),
        "xlsx": lambda df, path: df.to_excel(path, index=False, engine="xlsxwriter"),
    }[kind]


def _by_hand(_kind: str) -> Write:
    return _constant_memory


def _constant_memory(df: Any, path: Path) -> None:
    """Write with XlsxWriter's own calls for each type, as its documentation advises for many rows."""
    from xlsxwriter import Workbook

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(str(path), options) as book:
        sheet = book.add_worksheet()
        day, moment = (
            book.add_format({"num_format": shape}) for shape in ("yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss")
        )
        for at, name in enumerate(df.columns):
            sheet.write_string(0, at, name)
        for at, row in enumerate(df.itertuples(index=False, name=None), 1):
            sheet.write_number(at, 0, row[0])
            sheet.write_string(at, 1, row[1])
            sheet.write_string(at, 2, row[2])
            sheet.write_datetime(at, 3, row[3], day)
            sheet.write_datetime(at, 4, row[4], moment)
            sheet.write_number(at, 5, row[5])
            sheet.write_number(at, 6, row[6])
            sheet.write_boolean(at, 7, row[7])


_WAYS: dict[str, Callable[[str], Write]] = {
    "greynb": _greynb,
    "rows alone": _rows_alone,
    "pandas": _pandas,
    "XlsxWriter, constant_memory": _by_hand,
}


def report(taken: dict[tuple[str, str], list[dict[str, float]]], rounds: int, rows: int) -> str:
    """Medians as a table."""

    def middle(kind: str, how: str, what: str) -> float:
        return statistics.median(each[what] for each in taken[kind, how])

    loads = [each["load"] for found in taken.values() for each in found]
    lines = [
        "# A million rows as files",
        "",
        f"{rows:,} rows of eight columns (`make bench-exports`), the median of {rounds} run(s) each, which",
        f"took turns; {os.cpu_count()} cores. Memory is what the process grew by at its peak while it wrote.",
        "`greynb` is `greynb.export`, which also hashes the content and writes the record; `rows alone` is",
        "its writer without these. CPU seconds are those of all threads, which say more on a busy machine:",
        f"the load was {min(loads):.0f} to {max(loads):.0f}.",
        "",
        "| format | written by | seconds | beside pandas | CPU seconds | file, MB | memory, MB |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for kind, ways in TASKS.items():
        theirs = middle(kind, "pandas", "seconds")
        for how in ways:
            seconds = middle(kind, how, "seconds")
            ratio = f"{seconds / theirs:.2f} ×" if how != "pandas" else ""
            cpu, size, memory = (middle(kind, how, what) for what in ("cpu", "MB", "memory"))
            lines.append(
                f"| {kind} | {how} | {seconds:.2f} | {ratio} | {cpu:.2f} | {size:.0f} | {memory:.0f} |"
            )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    raise SystemExit(main())
