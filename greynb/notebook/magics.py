"""``%%analytics``, ``%%staging`` and ``%greynb``: parse the line, call, return."""

from __future__ import annotations

import inspect
from collections import ChainMap
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    no_var_expand,
)

from greynb.errors import telling_interrupts
from greynb.notebook.config import Greynb
from greynb.notebook.options import parse
from greynb.routing import Role

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell

    from greynb.databases.load_request import LoadResult


@magics_class
class SqlMagics(Magics):
    """The magics that ``%load_ext greynb`` adds."""

    shell: InteractiveShell

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.settings = Greynb(parent=shell)

    @no_var_expand  # IPython would splice $name and {name} into the SQL
    @line_cell_magic
    def analytics(self, line: str, cell: str | None = None) -> pd.DataFrame | None:
        """Run SQL on the analytics database, read-only, in DuckDB.

        ``%%analytics [NAME] [-n ROWS] [--show] [--no-cache] [--export PATH]`` above the SQL, or
        ``%analytics SQL`` in a line.
        """
        return self._run("analytics", line, cell)

    @no_var_expand  # IPython would splice $name and {name} into the SQL
    @line_cell_magic
    def staging(self, line: str, cell: str | None = None) -> pd.DataFrame | LoadResult | None:
        """Run SQL on the staging database, in SQLite, all statements or none.

        ``%%staging [NAME] [-n ROWS] [--show] [--dry-run] [--export PATH]`` above the SQL, or
        ``%staging SQL`` in a line.
        ``%staging load FRAME --into TABLE [--key COLUMNS] [--on-conflict WHAT]`` loads a DataFrame.
        """
        if cell is None and line.split(None, 1)[:1] == ["load"]:
            from greynb.notebook.loading import load

            return load(line, _variables(self.shell), self.settings)
        return self._run("staging", line, cell)

    @line_magic
    def greynb(self, line: str) -> object:
        """Show what serves the roles: ``%greynb status | tables | columns TABLE | sync | help``."""
        from greynb.notebook.commands import run

        return run(line, _variables(self.shell), self.settings)

    def _run(self, role: Role, line: str, cell: str | None) -> pd.DataFrame | None:
        with telling_interrupts(f"{role}: interrupted before anything was run"):
            from greynb.notebook import cells, exporting, output

            options = parse(line, body=cell is not None, staging=role == "staging")
            exporting.foresee(options)
            sql = options.sql if cell is None else f"{options.sql}\n{cell}"
        outcome = cells.run(role, sql, _variables(self.shell), options, self.settings)
        with telling_interrupts(f"{role}: interrupted while the result was shown; the cell had run"):
            return output.deliver(self.shell, outcome, options, self.settings, in_line=cell is None)


def _variables(shell: InteractiveShell) -> ChainMap[str, Any]:
    """The variables that the caller of the magic sees.

    In a function these are its locals, then the notebook's. IPython hands a cell magic the notebook's alone,
    so the frame that asked the shell to run the magic is looked up here.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name not in ("run_cell_magic", "run_line_magic"):
        frame = frame.f_back
    caller = frame.f_back if frame is not None else None
    return ChainMap(caller.f_locals if caller is not None else {}, shell.user_ns)
