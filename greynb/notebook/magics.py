"""``%%analytics``, ``%%staging`` and ``%greynb``: parse the line, call, return."""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING, Any

from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)

from greynb.notebook.config import Greynb
from greynb.notebook.options import parse
from greynb.routing import Role

if TYPE_CHECKING:
    import pandas as pd
    from IPython.core.interactiveshell import InteractiveShell


@magics_class
class SqlMagics(Magics):
    """The magics that ``%load_ext greynb`` adds."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.settings = Greynb(parent=shell)

    @no_var_expand  # IPython would splice $name and {name} into the SQL
    @needs_local_scope
    @line_cell_magic
    def analytics(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> pd.DataFrame | None:
        """Run SQL on the analytics database, read-only, in DuckDB.

        ``%%analytics [NAME] [-n ROWS] [--show]`` above the SQL, or ``%analytics SQL`` in a line.
        """
        return self._run("analytics", line, cell, local_ns)

    @no_var_expand  # IPython would splice $name and {name} into the SQL
    @needs_local_scope
    @line_cell_magic
    def staging(
        self, line: str, cell: str | None = None, local_ns: dict[str, Any] | None = None
    ) -> pd.DataFrame | None:
        """Run SQL on the staging database, in SQLite, all statements or none.

        ``%%staging [NAME] [-n ROWS] [--show] [--dry-run]`` above the SQL, or ``%staging SQL`` in a line.
        ``%staging load FRAME --into TABLE [--key COLUMNS] [--on-conflict WHAT] [--create]`` loads a DataFrame.
        """
        if cell is None and line.split(None, 1)[:1] == ["load"]:
            from greynb.notebook.loading import load

            return load(line, self._variables(local_ns), self.settings)
        return self._run("staging", line, cell, local_ns)

    @line_magic
    def greynb(self, line: str) -> object:
        """Show what serves the roles: ``%greynb status | tables | columns TABLE | sync | help``."""
        from greynb.notebook.commands import run

        return run(line, self.settings)

    def _run(
        self, role: Role, line: str, cell: str | None, local_ns: dict[str, Any] | None
    ) -> pd.DataFrame | None:
        from greynb.notebook import cells, output

        options = parse(line, body=cell is not None, staging=role == "staging")
        sql = options.sql if cell is None else f"{options.sql}\n{cell}"
        outcome = cells.run(role, sql, self._variables(local_ns), options, self.settings)
        return output.deliver(self.shell, outcome, options, self.settings)

    def _variables(self, local_ns: dict[str, Any] | None) -> ChainMap[str, Any]:
        return ChainMap(local_ns or {}, self.shell.user_ns)
