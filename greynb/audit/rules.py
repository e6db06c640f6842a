"""The rules, as a table: what each is called, how grave it is, and why it is one."""

from __future__ import annotations

from typing import NamedTuple

from greynb.audit.findings import Level


class Rule(NamedTuple):
    """One rule.

    Attributes
    ----------
    id
        Its name in reports, in suppressions (``# greynb: ignore[id]``) and in docs/audit.md.
    level
        How grave a finding is where the finding itself does not say otherwise.
    title
        A few words.
    help
        Why it matters and what to do, in a sentence or two.
    """

    id: str
    level: Level
    title: str
    help: str


_TABLE = (
    Rule(
        "raw-connect",
        "warning",
        "A database is opened past greynb's routing",
        "The file that this opens is the script's own choice: it does not follow STAGING_DB_PATH and "
        "ANALYTICS_DB_PATH, can create an empty database by mistake, and can write to analytics. Open it "
        "with greynb.get_conn() or the helpers of greynb.db_utils. A note where the file is another "
        "database.",
    ),
    Rule(
        "hardcoded-path",
        "warning",
        "A database file is named in the code",
        "A path in the code wins over the environment and breaks on the next machine. Leave the path out "
        "and let greynb name the file. A note where the file is not one of the two databases.",
    ),
    Rule(
        "routing-copied",
        "warning",
        "Routing is copied by hand",
        "Environment variables are looked up one by one, as greynb does. The copy agrees today; it will "
        "not follow when the routing changes, and it does not read .env files.",
    ),
    Rule(
        "routing-differs",
        "error",
        "Routing is copied by hand, and decides otherwise",
        "In some environments this copy picks another file than greynb and all other scripts. An error "
        "where it prefers another variable; a warning where it only knows fewer variables or another "
        "default.",
    ),
    Rule(
        "writer-opens-analytics",
        "error",
        "A script that writes opens analytics",
        "By its name the script belongs to staging, or it opens analytics for writing. What is written to"
        " analytics is lost at the next publication, and readers see it half done.",
    ),
    Rule(
        "reader-opens-staging",
        "error",
        "A script that reads opens staging",
        "By its name the script only reads, so it belongs to analytics: staging holds unpublished, half-"
        "written rows, and a reader there can hold up the writers.",
    ),
    Rule(
        "readonly-write",
        "error",
        "A write goes to what is read-only",
        "The statement writes, and the connection or cell only reads: it fails when it runs, perhaps "
        'after hours. Writes go to staging: greynb.get_conn("staging") or %%staging.',
    ),
    Rule(
        "built-sql",
        "warning",
        "SQL is built from strings",
        "A value that is spliced into SQL breaks at the first apostrophe, lets its sender run SQL, and "
        "defeats result caches. Bind values as parameters. A note where only names of tables or columns "
        "are spliced in: those cannot be bound, and have to be quoted.",
    ),
    Rule(
        "copied-database",
        "warning",
        "A database file is copied as a file",
        "A copy of a file that is written meanwhile is often corrupt, lacks what is in the -wal file, and"
        " overwrites analytics under its readers. greynb sync publishes staging; sqlite3's .backup "
        "copies.",
    ),
    Rule(
        "not-checked",
        "note",
        "A file or a part of it could not be read",
        "It is no valid Python, shell, notebook or text, or too large. What it holds was not audited.",
    ),
)

RULES: dict[str, Rule] = {rule.id: rule for rule in _TABLE}
