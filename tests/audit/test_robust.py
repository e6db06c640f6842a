"""Whatever a file holds, the audit ends with findings or a note."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greynb.audit import Finding, audit, notebook, shell, sqlfile
from greynb.audit.output import FORMATS
from greynb.audit.python import reading
from greynb.errors import UsageError

FAULT = "import sqlite3\nsqlite3.connect('greyhound_racing_data.db')\n"


def audited(tmp_path: Path, name: str, content: bytes | str) -> list[Finding]:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(audit([path]).findings)


def notes(findings: list[Finding]) -> list[str]:
    assert {(each.rule, each.level) for each in findings} <= {("not-checked", "note")}
    return [each.message for each in findings]


@pytest.mark.parametrize(
    "source",
    [
        "print 'sqlite3'\n",
        "try:\n    import sqlite3\nexcept ImportError, error:\n    raise\n",
        "exec 'import sqlite3'\n",
        "def (sqlite3:\n",
        "import sqlite3\n\tx = 1\n",
        "x = '''sqlite3",
    ],
)
def test_python_that_cannot_be_parsed_is_a_note_with_its_line(tmp_path: Path, source: str) -> None:
    (finding,) = audited(tmp_path, "old.py", source)

    assert (finding.rule, finding.level) == ("not-checked", "note")
    assert 1 <= finding.place.line <= source.count("\n") + 1


def test_binary_files_are_a_note(tmp_path: Path) -> None:
    (message,) = notes(audited(tmp_path, "data.py", b"sqlite3\0\1\2" * 100))
    assert "binary" in message


def test_huge_files_are_a_note(tmp_path: Path) -> None:
    (message,) = notes(audited(tmp_path, "dump.sql", b"INSERT INTO t VALUES (1);\n" * 100_000))
    assert "larger than 2 MB" in message


@pytest.mark.parametrize(
    "content",
    [
        f"# Ünïcödé\n{FAULT}".encode("latin-1"),
        f"# coding: cp1252\n# “x”\n{FAULT}".encode("cp1252"),
        f"# coding: klingon\n{FAULT}".encode(),
        f"\ufeff{FAULT}".encode(),
        FAULT.replace("\n", "\r\n").encode(),
    ],
    ids=["latin-1 undeclared", "cp1252", "unknown encoding", "byte-order mark", "Windows newlines"],
)
def test_other_encodings_and_newlines_are_read(tmp_path: Path, content: bytes) -> None:
    assert [each.rule for each in audited(tmp_path, "old.py", content)] == ["raw-connect"]


def test_characters_beyond_ascii_do_not_move_columns(tmp_path: Path) -> None:
    source = "import sqlite3\nname = 'Börzsöny'; con = sqlite3.connect('greyhound_racing_data.db')\n"
    (finding,) = audited(tmp_path, "a.py", source)

    line = source.splitlines()[1]
    assert line[finding.place.column - 1 : finding.place.end_column - 1].startswith("sqlite3.connect(")
    assert line[: finding.place.end_column - 1].endswith("data.db')")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right there")
def test_loops_of_links_end(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self.py").symlink_to(tmp_path / "self.py")
    (tmp_path / "gone.py").symlink_to(tmp_path / "nowhere.py")
    (tmp_path / "a" / "x.py").write_text(FAULT)

    found = audit([tmp_path])

    assert [each.rule for each in found.findings if each.level != "note"] == ["raw-connect"]
    assert len(notes([each for each in found.findings if each.level == "note"])) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no such files there")
def test_a_pipe_named_like_a_script_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")

    assert notes(list(audit([tmp_path]).findings)) == ["not audited: it is no regular file"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are text")
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_names_that_are_no_text_are_told(tmp_path: Path, form: str) -> None:
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.py"))).write_text(FAULT)

    report = FORMATS[form](audit([tmp_path]).findings, 1)

    assert report.encode("utf-8")
    assert "raw-connect" in report


@pytest.mark.parametrize("source", ["x = " + "-" * 100_000 + "1", "x" + "[0]" * 50_000, "(" * 5000])
def test_nesting_that_the_parser_refuses_is_a_note(tmp_path: Path, source: str) -> None:
    assert notes(audited(tmp_path, "deep.py", f"import sqlite3\n{source}\n"))


def test_folders_of_tools_are_passed_over(tmp_path: Path) -> None:
    for folder in (".venv/lib", "node_modules/x", ".git/hooks", "__pycache__", "own_env/lib"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "x.py").write_text(
            "import sqlite3\nsqlite3.connect('greyhound_racing_data.db')\n"
        )
    (tmp_path / "own_env" / "pyvenv.cfg").touch()

    assert audit([tmp_path]).files == 0
    assert audit([tmp_path / ".venv/lib/x.py"]).files == 1, "a file that is named is read"


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no file or folder"):
        audit([tmp_path / "nowhere"])


def test_scripts_without_a_suffix_are_known_by_their_first_line(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("#!/usr/bin/env bash\ncp greyhound_racing_data.db b.db\n")
    (tmp_path / "load").write_text(f"#!/usr/bin/python3\n{FAULT}")
    (tmp_path / "LICENSE").write_text("sqlite3.connect('greyhound_racing_data.db')\n")

    assert [each.rule for each in audit([tmp_path]).findings] == ["raw-connect", "copied-database"]


ODD_NOTEBOOKS = {
    "empty": "",
    "no object": "[]",
    "no cells": "{}",
    "cells of another kind": '{"cells": "sqlite3"}',
    "cut off": '{"cells": [{"cell_type": "code", "source": ["import sqlite3',
    "deep": '{"x": "sqlite3", "cells": ' + "[" * 3000 + "]" * 3000 + "}",
    "deep objects": '{"x": "sqlite3", "a":' * 900 + "1" + "}" * 900,
    "version 3": '{"worksheets": [{"cells": [{"input": "sqlite3"}]}], "nbformat": 3}',
}


@pytest.mark.parametrize("text", ODD_NOTEBOOKS.values(), ids=ODD_NOTEBOOKS)
def test_notebooks_that_are_none_are_a_note(text: str) -> None:
    (found,) = notebook.check(text, "odd.ipynb")
    assert found.rule == "not-checked"


@pytest.mark.parametrize(
    "cell",
    [1, None, "text", [], {}, {"cell_type": "code"}, {"cell_type": 3, "source": []}]
    + [{"cell_type": "code", "source": source} for source in (None, 7, [1, 2], {"a": 1}, [["x"]])],
)
def test_odd_cells_do_not_hide_their_neighbours(cell: object) -> None:
    good = {"cell_type": "code", "source": "import sqlite3\nsqlite3.connect('greyhound_racing_data.db')"}
    text = json.dumps({"cells": [good, cell, good]}, indent=1)

    found = [each for each in notebook.check(text, "odd.ipynb") if each.rule != "not-checked"]

    assert [each.place.cell for each in found] == [(1, 2), (3, 2)]
    assert all("sqlite3.connect" in text.splitlines()[each.place.line - 1] for each in found)


def test_a_cell_that_cannot_be_parsed_does_not_hide_the_names_of_the_others() -> None:
    cells = ["DB = 'greyhound_racing_data.db'", "print DB", "import sqlite3\nsqlite3.connect(DB)"]
    text = json.dumps({"cells": [{"cell_type": "code", "source": each} for each in cells]})

    rules = [each.rule for each in notebook.check(text, "x.ipynb")]

    assert sorted(rules) == ["hardcoded-path", "not-checked", "raw-connect"]


def test_deep_expressions_end(tmp_path: Path) -> None:
    sums = "sql = 'SELECT 1 '" + " + 'x'" * 3000 + "\ncon.execute(sql)\n"
    brackets = "sqlite3 = " + "(" * 150 + "1" + ")" * 150 + "\n"
    chain = (
        "import sqlite3\n" + "".join(f"a{n + 1} = a{n}\n" for n in range(2000)) + "sqlite3.connect(a2000)\n"
    )
    circle = "def f(x):\n    return g(x)\ndef g(x):\n    return f(x)\nimport sqlite3\nsqlite3.connect(f(1))\n"

    for source in (sums, brackets, chain, circle):
        assert {each.rule for each in audited(tmp_path, "deep.py", source)} <= {"not-checked", "raw-connect"}


def test_calls_that_multiply_end_soon(tmp_path: Path) -> None:
    source = "import sqlite3\n" + "".join(
        f"def f{n}(x):\n    return f{n + 1}(x) or f{n + 1}(x + 'a') or f{n + 1}(x)\n" for n in range(30)
    )
    begun = time.process_time()

    audited(tmp_path, "wide.py", source + "def f30(x):\n    return x\nsqlite3.connect(f0('a'))\n")

    assert time.process_time() - begun < 20


WORDS = st.sampled_from(
    "import sqlite3 sqlite3.connect( execute( f'{x}' ) ( os.getenv('ANALYTICS_DB_PATH') or if else : = \n \n "
    "def f(x): return self. 'greyhound_racing_data.db' % + ${A:-b} <<EOF EOF ' \" cp export | ; SELECT "
    "INSERT INTO t WHERE %%analytics %%staging !cp for x in y .format(x) None lambda".split(" ")
)
SOUP = st.lists(WORDS | st.text(max_size=5), max_size=40).map(" ".join)


@pytest.mark.parametrize("check", [reading.check, shell.check, sqlfile.check, notebook.check])
@given(text=SOUP)
def test_arbitrary_text_gives_findings_within_its_lines(check, text: str) -> None:  # type: ignore[no-untyped-def]
    for found in check(text.replace("\0", ""), "ingest_x.py"):
        assert 1 <= found.place.line <= text.count("\n") + len(text.splitlines()) + 1


@given(cells=st.lists(SOUP, max_size=5))
def test_arbitrary_cells_give_findings_in_those_cells(cells: list[str]) -> None:
    text = json.dumps({"cells": [{"cell_type": "code", "source": each} for each in cells]}, indent=1)

    for found in notebook.check(text, "x.ipynb"):
        assert found.place.cell is not None
        assert 1 <= found.place.cell[0] <= len(cells)
