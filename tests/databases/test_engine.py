"""The engine itself."""

from __future__ import annotations

import subprocess
import sys

_SLOW = """
from greynb.databases.engine import plain_instance
con = plain_instance()
con.execute("SET progress_bar_time = 1")
con.execute("SELECT sum(sqrt(a.range) * b.range) FROM range(30000) a, range(3000) b").fetchall()
"""


def test_a_statement_that_takes_long_draws_nothing_on_standard_output() -> None:
    done = subprocess.run([sys.executable, "-c", _SLOW], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")
