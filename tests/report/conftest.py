"""A shell over two published databases, for the tests of verifying."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.notebook.shell import run
from tests.report.season import RACES, change


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    """A shell with greynb loaded; `tmp_path` holds stage.db and analytics.db."""
    monkeypatch.setenv("STAGING_DB_PATH", str(tmp_path / "stage.db"))
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "analytics.db"))
    monkeypatch.chdir(tmp_path)
    change(tmp_path, RACES)
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    shell.run_line_magic("load_ext", "greynb")
    shell.run_line_magic("config", f"Greynb.cache_folder = {str(tmp_path / 'results')!r}")
    yield shell
    shell.run_line_magic("unload_ext", "greynb")
    InteractiveShell.clear_instance()


@pytest.fixture
def query(shell: InteractiveShell) -> Callable[..., pd.DataFrame]:
    """Run a cell with variables, and give its frame."""

    def queried(sql: str, *, role: str = "analytics", **variables: object) -> pd.DataFrame:
        shell.user_ns.update(variables)
        run(shell, f"%%{role} result\n{sql}")
        frame: pd.DataFrame = shell.user_ns["result"]
        return frame

    return queried
