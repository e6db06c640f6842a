"""``greynb audit`` as it is called: formats, exit codes, the baseline, the hook, the speed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from greynb.cli import main

ROOT = Path(__file__).resolve().parents[2]
ERROR = "from scripts.db_utils import open_sqlite_readonly\nopen_sqlite_readonly().execute('DELETE FROM t')\n"
WARNING = "import sqlite3\ncon = sqlite3.connect('greyhound_racing_data.db')\n"
NOTE = "import sqlite3\ncon = sqlite3.connect('weather.db')\n"
CLEAN = "import greynb\ncon = greynb.get_conn()\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


CODES = [
    (ERROR, [], 5),
    (WARNING, [], 5),
    (NOTE, [], 0),
    (CLEAN, [], 0),
    (ERROR, ["--fail-on", "error"], 5),
    (WARNING, ["--fail-on", "error"], 0),
    (NOTE, ["--fail-on", "note"], 5),
    (ERROR, ["--fail-on", "never"], 0),
    (WARNING.replace("')\n", "')  # greynb: ignore\n"), [], 0),
]


@pytest.mark.parametrize(("source", "options", "code"), CODES)
def test_the_exit_code_says_whether_something_of_the_level_was_found(
    source: str, options: list[str], code: int
) -> None:
    Path("script.py").write_text(source)

    assert main(["audit", "script.py", *options]) == code


@pytest.mark.parametrize("options", [["--fail-on", "bad"], ["--format", "xml"]])
def test_a_wrong_call_is_2(options: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["audit", ".", *options])
    assert stop.value.code == 2


def test_what_cannot_be_done_is_1() -> None:
    assert main(["audit", "nowhere"]) == 1
    assert main(["audit", ".", "--baseline", "none.json"]) == 1


def test_a_baseline_without_a_file_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", ".", "--write-baseline"]) == 2
    assert "--baseline FILE" in capsys.readouterr().err


def test_only_what_is_new_fails_beside_a_baseline(capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.py").write_text(WARNING)
    assert main(["audit", ".", "--baseline", "known.json", "--write-baseline"]) == 0
    assert main(["audit", ".", "--baseline", "known.json"]) == 0
    Path("new.py").write_text(WARNING)
    capsys.readouterr()

    assert main(["audit", ".", "--baseline", "known.json"]) == 5

    told = capsys.readouterr()
    assert "new.py:2" in told.out and "old.py" not in told.out
    assert "known from the baseline: 1" in told.err


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_machines_get_nothing_but_their_format(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("old.py").write_text(WARNING)
    main(["audit", ".", "--baseline", "known.json", "--write-baseline"])
    capsys.readouterr()

    main(["audit", ".", "--format", form, "--baseline", "known.json"])

    assert json.loads(capsys.readouterr().out)


def test_nothing_is_run_and_nothing_is_written(folder: Path) -> None:
    Path("ingest_x.py").write_text(
        "open('proof', 'w').write('ran')\nimport sqlite3\nsqlite3.connect('a.db')\n"
    )
    Path("x.sh").write_text("touch proof\nsqlite3 a.db 'CREATE TABLE t (x)'\n")
    before = sorted(path.name for path in folder.iterdir())

    main(["audit", "."])

    assert sorted(path.name for path in folder.iterdir()) == before


def test_the_hook_calls_the_command_on_the_languages_that_are_read() -> None:
    lines = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8").splitlines()
    hook = dict(line[2:].split(": ", 1) for line in lines if line[:2] in ("- ", "  "))

    assert {"id", "name", "entry", "language"} <= set(hook)
    assert hook["types_or"] == "[python, shell, jupyter, sql]"
    Path("bad.py").write_text(WARNING)
    done = subprocess.run(
        [sys.executable, "-m", *hook["entry"].split(), "bad.py"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (5, "")


def test_sqlglot_is_not_loaded_where_nothing_is_to_be_parsed() -> None:
    Path("plain.py").write_text("print(1)\n")
    code = "import sys; from greynb.cli import main; main(['audit', '.']); print('sqlglot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"


def test_a_thousand_files_take_seconds(collector: Path) -> None:
    for number in range(17):
        shutil.copytree(collector, Path(f"copy{number}"))
    begun = time.process_time()

    main(["audit", ".", "--format", "json"])

    assert sum(1 for path in Path().rglob("*") if path.is_file()) >= 1000
    assert time.process_time() - begun < 30  # 3 s on an idle machine
