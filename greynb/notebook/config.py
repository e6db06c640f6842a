"""``%config Greynb``: what a user may set for the cells of one notebook."""

from __future__ import annotations

from traitlets import Bool, Enum, Int, Unicode
from traitlets.config import Configurable


class Greynb(Configurable):
    """Settings of greynb's cells."""

    rows = Int(20, min=0, help="Rows of a result to show; the total is always stated.").tag(config=True)
    progress = Bool(True, help="Show the progress of queries that take longer than a second.").tag(
        config=True
    )
    interrupt = Bool(
        True, help="Run queries on a worker thread, so that Ctrl-C stops them; off, on the notebook's own."
    ).tag(config=True)
    traceback = Bool(False, help="Show Python's traceback with an error, for reports of bugs.").tag(
        config=True
    )
    timeout = Int(
        10, min=0, help="Seconds that a staging cell waits for another writer before it says who it is."
    ).tag(config=True)
    cache_mb = Int(
        256, min=0, help="Megabytes that kept results of analytics cells may take; 0 keeps and uses none."
    ).tag(config=True)
    cache_folder = Unicode("", help="Where results are kept; empty: in the user's cache folder.").tag(
        config=True
    )
    record = Bool(
        False, help="Keep with each result, as an output of its cell, what `greynb verify` checks it by."
    ).tag(config=True)
    log = Bool(False, help="Note each statement in the query log: SQL, version, seconds, rows, error.").tag(
        config=True
    )
    log_values = Bool(False, help="Note the values of parameters too, not their names alone.").tag(
        config=True
    )
    log_file = Unicode("", help="The query log; empty: in the user's data folder.").tag(config=True)
    mirror = Enum(
        ["auto", "never", "require"],
        "auto",
        help="auto: read the columnar mirror of analytics, and the SQLite file until there is one;"
        " never: read the SQLite file; require: wait until the mirror is built.",
    ).tag(config=True)
