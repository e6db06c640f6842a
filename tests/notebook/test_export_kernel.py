"""Exports in a real kernel: Ctrl-C, progress, and what a saved notebook shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.kernel import Kernel, started
from tests.notebook.shell import make_databases

BIG = "SELECT range AS n, 'dog ' || range AS dog, range * 1.5 AS odds FROM range(2000000)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def kernel(folder: Path) -> Iterator[Kernel]:
    lines = [f"{name}={path}" for name, path in make_databases(folder).items()]
    (folder / ".env").write_text("\n".join(lines), encoding="utf-8")
    with started(folder) as kernel:
        forget = "import os; [os.environ.pop(n, None) for n in list(os.environ) if n.endswith('_DB_PATH')]"
        assert kernel.run(forget).error is None
        assert kernel.run("%load_ext greynb").error is None
        yield kernel


def test_a_cell_in_a_kernel_shows_its_result_and_what_was_written(kernel: Kernel, folder: Path) -> None:
    reply = kernel.run("%%analytics --export 'a b.xlsx'\nSELECT * FROM races")
    assert reply.error is None and "written: a b.xlsx: 4 rows" in reply.shown()[-1]
    assert "written: a b.xlsx" in reply.shown("text/html")[-1]
    assert (folder / "a b.xlsx").stat().st_size > 1000


def test_a_failed_export_in_a_kernel_shows_the_result_and_one_short_error(
    kernel: Kernel, folder: Path
) -> None:
    (folder / "theirs.csv").write_text("mine", encoding="utf-8")
    reply = kernel.run("%%analytics --export theirs.csv\nSELECT 41 + 1 AS answer")
    assert reply.error == "UsageError" and "42" in reply.shown()[-1]
    assert "Traceback" not in reply.traceback and len(reply.traceback.splitlines()) <= 5
    assert kernel.run("print(_.answer[0])").stdout == "42\n"


@pytest.mark.slow
def test_an_interrupt_of_a_long_export_leaves_no_file_and_keeps_the_result(
    kernel: Kernel, folder: Path
) -> None:
    def written() -> list[Path]:
        # The mirror is built beside the cells, whenever it is.
        return sorted(path for path in folder.iterdir() if not path.name.endswith(".mirror"))

    assert kernel.run(f"%%analytics df\n{BIG}").error is None
    before = written()
    reply = kernel.run("%greynb export df big.xlsx big.json big.tex", interrupt_after=3)
    assert reply.error == "QueryInterrupted" and "as they were" in reply.traceback
    assert reply.seconds < 2 and reply.updates > 0 and reply.outputs == []
    assert written() == before
    assert kernel.run("print(len(df))").stdout == "2000000\n"
