"""What the analytics connection leaves out of a DuckDB connection's methods."""

from __future__ import annotations

from typing import Final

ABSENT: Final = {
    "append": "it writes",
    "begin": "every statement reads the same version of the file",
    "commit": "every statement reads the same version of the file",
    "create_function": "a function in Python runs unchecked; use CREATE TEMP MACRO",
    "executemany": "it is meant for writing; use execute() in a loop",
    "extract_statements": "statements that it gives would run unchecked; execute() takes several",
    "from_arrow": "use register() and SELECT",
    "from_csv_auto": "it reads files; use pandas.read_csv and register()",
    "from_df": "use register() and SELECT",
    "from_parquet": "it reads files; use pandas.read_parquet and register()",
    "from_query": "use sql()",
    "install_extension": "it loads code",
    "load_extension": "it loads code",
    "read_csv": "it reads files; use pandas.read_csv and register()",
    "read_json": "it reads files; use pandas.read_json and register()",
    "read_parquet": "it reads files; use pandas.read_parquet and register()",
    "register_filesystem": "it opens files to the engine",
    "rollback": "every statement reads the same version of the file",
    "table": "what it returns can write; use sql('FROM name')",
    "table_function": "what it returns can write; use sql('FROM name(…)')",
    "values": "what it returns can write; use sql('VALUES (…)')",
    "view": "what it returns can write; use sql('FROM name')",
}
"""Methods of a DuckDB connection that people may look for, with what to do instead."""
