"""What a real kernel answers while a cell is written: completion and inspection; and Stop pressed twice."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.notebook.kernel import Kernel, started
from tests.notebook.shell import make_databases


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("asking")
    make_databases(folder)
    (folder / ".env").write_text("STAGING_DB_PATH=stage.db\nANALYTICS_DB_PATH=analytics.db\n")
    with started(folder) as kernel:
        setup = "%load_ext greynb\nimport pandas as pd\nframe = pd.DataFrame({'x': [1, 2]}); track = 'RICH'"
        assert kernel.run(setup).error is None
        assert kernel.run("%analytics SELECT count(*) FROM races").error is None
        yield kernel


def asked(kernel: Kernel, kind: str, text: str) -> dict[str, Any]:
    """The kernel's reply about the place of ``|`` in a cell."""
    offset = text.index("|")
    code = text[:offset] + text[offset + 1 :]
    reply = getattr(kernel.client, kind)(code, offset, reply=True, timeout=60)
    assert reply["content"]["status"] == "ok"
    content: dict[str, Any] = reply["content"]
    return content


def inspected(kernel: Kernel, text: str) -> str:
    reply = asked(kernel, "inspect", text)
    return str(reply["data"]["text/plain"]) if reply["found"] else ""


def test_completion_replies_hold_texts_places_and_types(kernel: Kernel) -> None:
    reply = asked(kernel, "complete", "%%analytics\nSELECT ven|\nFROM races")
    assert reply["matches"] == ["venue"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (19, 22)
    (typed,) = reply["metadata"]["_jupyter_types_experimental"]
    assert (typed["text"], typed["type"], typed["start"], typed["end"]) == ("venue", "VARCHAR", 19, 22)


def test_python_cells_are_completed_by_python(kernel: Kernel) -> None:
    assert "track" in asked(kernel, "complete", "tra|")["matches"]


def test_a_column_is_inspected_with_type_nulls_and_values(kernel: Kernel) -> None:
    assert inspected(kernel, "%%analytics\nSELECT run|ners FROM races") == (
        "races.runners  BIGINT\n4 rows, 1 NULL (25 %)\nvalues: 8 (2×), 7 (1×)"
    )
    assert inspected(kernel, "%%staging\nSELECT r.venue| FROM races r").splitlines() == [
        "races.venue  TEXT",
        "4 rows, no NULLs",
        "values: RICH (2×), TAR (2×)",
    ]


def test_a_table_is_inspected_with_its_columns(kernel: Kernel) -> None:
    text = inspected(kernel, "%%analytics\nSELECT * FROM ra|ces r")
    assert text.splitlines()[0] == "races  table · 4 rows"
    assert [line.split()[:2] for line in text.splitlines()[1:]] == [
        ["race_id", "VARCHAR"],
        ["venue", "VARCHAR"],
        ["race_date", "DATE"],
        ["runners", "BIGINT"],
    ]
    assert "2025-07-01, 2025-07-02" in text
    assert inspected(kernel, "%%analytics\nSELECT r|.venue FROM races r") == text


def test_functions_variables_and_frames_are_inspected(kernel: Kernel) -> None:
    assert "strip_accents(string VARCHAR) → VARCHAR" in inspected(
        kernel, "%%analytics\nSELECT strip_acc|ents(x)"
    )
    assert "strip_accents(string VARCHAR)" in inspected(kernel, "%%analytics\nSELECT strip_accents(|)")
    assert inspected(kernel, "%%analytics\nSELECT :tra|ck") == ":track  str\n'RICH'"
    assert inspected(kernel, "%%analytics\nSELECT * FROM fra|me") == "frame  DataFrame · 2 rows\n  x  int64"


def test_python_is_inspected_as_ever(kernel: Kernel) -> None:
    assert "RICH" in inspected(kernel, "tra|ck")
    assert inspected(kernel, "%%analytics\nSELECT nonsense_|name") == ""


LONG = "SELECT sum(sin(i) * cos(j)) FROM range(300000) a(i), range(300000) b(j)"


@pytest.mark.slow
def test_twenty_cells_of_twenty_stop_at_a_stop_pressed_twice_and_the_next_one_runs(kernel: Kernel) -> None:
    kernel.run("%analytics SELECT 1")
    for attempt in range(20):
        reply = kernel.run(f"%%analytics\n{LONG}", interrupt_after=0.2 + 0.01 * attempt, interrupts=2)
        assert reply.error == "QueryInterrupted"
        assert reply.seconds < 0.5
        assert re.search(r"\b4\b", "".join(kernel.run("%analytics SELECT count(*) AS n FROM races").shown()))


def test_unloading_gives_the_kernel_its_own_inspection_back(kernel: Kernel) -> None:
    kernel.run("%unload_ext greynb")
    try:
        assert inspected(kernel, "%%analytics\nSELECT run|ners FROM races") == ""
    finally:
        kernel.run("%load_ext greynb")


THEIRS = """
def theirs(code, cursor_pos, *arguments, **options):
    return {"status": "ok", "found": True, "data": {"text/plain": "theirs"}, "metadata": {}}
kernel = get_ipython().kernel
"""


def test_unloading_gives_back_the_inspection_that_another_extension_had_put_there(kernel: Kernel) -> None:
    kernel.run(f"%unload_ext greynb\n{THEIRS}\nkernel.do_inspect = theirs\n%load_ext greynb")
    try:
        assert "runners" in inspected(kernel, "%%analytics\nSELECT run|ners FROM races")
        assert inspected(kernel, "tra|ck") == "theirs"
        kernel.run("%unload_ext greynb")
        assert inspected(kernel, "%%analytics\nSELECT run|ners FROM races") == "theirs"
    finally:
        kernel.run("del kernel.do_inspect\n%load_ext greynb")


def test_unloading_leaves_an_inspection_alone_that_has_replaced_greynbs_since(kernel: Kernel) -> None:
    later = "before = kernel.do_inspect\nkernel.do_inspect = lambda *words, **more: before(*words, **more)"
    kernel.run(f"{THEIRS}\n{later}\n%unload_ext greynb")
    try:
        assert inspected(kernel, "%%analytics\nSELECT run|ners FROM races") == ""
        assert "RICH" in inspected(kernel, "tra|ck")
    finally:
        kernel.run("del kernel.do_inspect\n%load_ext greynb")
