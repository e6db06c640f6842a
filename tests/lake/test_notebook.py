"""The notebook on a lake: magics, provenance, commands and the evaluation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from greynb import api
from tests.lake.conftest import Lake


@pytest.fixture
def shell(lake: Lake) -> Iterator[InteractiveShell]:
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    shell.run_line_magic("load_ext", "greynb")
    yield shell
    shell.run_line_magic("unload_ext", "greynb")
    InteractiveShell.clear_instance()


def test_cells_pin_and_commands_work_as_on_a_file(shell: InteractiveShell, lake: Lake) -> None:
    api.sync()
    frame = shell.run_cell_magic("analytics", "", "SELECT count(*) AS n FROM races")
    shell.run_cell_magic("analytics", "found", "SELECT count(*) AS n FROM races")
    frame = shell.user_ns["found"]
    origin = frame.attrs["greynb"]
    assert (frame["n"].tolist(), origin["snapshot"]) == ([5000], "lake-000001")
    assert origin["file"] == f"ducklake:{lake.catalogue}"
    assert str(shell.run_line_magic("greynb", "pin")).startswith("pinned to lake-000001 of ")
    assert sorted(shell.run_line_magic("greynb", "tables")["table"]) == ["free", "races", "tips", "tracks"]
    assert shell.run_line_magic("greynb", "columns races")["type"].tolist()[2] == "DATE"
    assert shell.run_line_magic("greynb", "history")["version"].tolist() == ["lake-000001"]
    assert str(shell.run_line_magic("greynb", "unpin")).startswith("back to the newest version")


def test_a_cell_on_a_lake_that_is_not_there_is_one_short_block(
    shell: InteractiveShell, lake: Lake, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.run_cell("%%analytics\nSELECT 1")
    said = "".join(capsys.readouterr())
    assert "there is no DuckLake yet" in said
    assert "chosen by ANALYTICS_DB_PATH (environment)" in said
    assert "Traceback" not in said
