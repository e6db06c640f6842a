"""A shell with greynb loaded over two small databases, for the tests of cells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from IPython.core.interactiveshell import InteractiveShell

from tests.notebook.shell import make_databases


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Iterator[InteractiveShell]:
    """A shell over a fresh pair of files; `tmp_path` is its working directory."""
    for name in ("GREYHOUND_DB_PATH", "DATABASE_PATH", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, path in make_databases(tmp_path).items():
        monkeypatch.setenv(name, path)
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    shell.reset(new_session=True)
    shell.run_line_magic("load_ext", "greynb")
    shell.run_line_magic("config", f"Greynb.cache_folder = {str(tmp_path / 'results')!r}")
    yield shell
    shell.run_line_magic("unload_ext", "greynb")
    InteractiveShell.clear_instance()
