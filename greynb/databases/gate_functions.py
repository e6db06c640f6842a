"""Which of DuckDB's functions a reading statement may call, reviewed for DuckDB 1.5.5.

Functions in ``FROM`` are where files and other databases come in: of the engine's own, only those listed
here pass. Of the scalar and aggregate functions, the engine's own pass except those that change something,
run SQL from a string, or are not meant for users. A name that the engine does not know can only be a macro
of the user's, which was checked when it was made.

A test compares these lists with the engine's catalogue, so that a new version of DuckDB is reviewed.
"""

from __future__ import annotations

from typing import Final

TABLE_FUNCTIONS: Final = frozenset(
    """
    generate_series icu_calendar_names json_each json_tree pg_timezone_names range repeat repeat_row
    summary test_all_types test_vector_types unnest
    duckdb_columns duckdb_constraints duckdb_coordinate_systems duckdb_databases duckdb_dependencies
    duckdb_functions duckdb_indexes duckdb_keywords duckdb_memory duckdb_optimizers
    duckdb_prepared_statements duckdb_schemas duckdb_sequences duckdb_settings duckdb_tables duckdb_types
    duckdb_variables duckdb_views
    pragma_collations pragma_database_size pragma_platform pragma_user_agent pragma_version
    """.split()
)
"""Compute from their arguments, or describe the session."""

NAMED_TABLE_FUNCTIONS: Final = frozenset(
    "histogram histogram_values pragma_show pragma_table_info query_table".split()
)
"""Read the table whose name is their first argument, which must therefore be a plain string."""

SCALAR_FUNCTIONS_REFUSED: Final = {
    "currval": "sequences belong to databases that can be written",
    "json_serialize_plan": "it plans SQL that is given as a string",
    "nextval": "it moves a sequence",
    "pg_sleep": "it only waits",
    "sleep_ms": "it only waits",
    "write_log": "it writes to the engine's log",
}
"""Scalar functions that do not pass, with the reason."""

REFUSED_PREFIXES: Final = ("sqlite_", "ducklake_", "postgres_", "pg_clear_", "read_postgres_", "__internal_")
"""What the extensions add, and what only the engine's optimizer should call."""

READS_FILES: Final = frozenset(
    """
    glob parquet_bloom_probe parquet_file_metadata parquet_full_metadata parquet_kv_metadata
    parquet_metadata parquet_scan parquet_schema read_blob read_csv read_csv_auto read_duckdb read_json
    read_json_auto read_json_objects read_json_objects_auto read_ndjson read_ndjson_auto
    read_ndjson_objects read_parquet read_text sniff_csv sqlite_attach sqlite_query sqlite_scan
    """.split()
)
"""Refused ones whose message should speak of files."""

RUNS_SQL: Final = frozenset("query json_execute_serialized_sql json_serialize_plan".split())
"""Refused ones whose message should speak of SQL in strings."""

STATEMENTS: Final = {
    "ALTER": "it changes a table",
    "ANALYZE": "it changes statistics",
    "ATTACH": "it opens another file",
    "BEGIN": "a cell already reads one version of the file",
    "CALL": "a called function may write",
    "CHECKPOINT": "it writes",
    "COMMENT": "it writes",
    "COMMIT": "a cell already reads one version of the file",
    "COPY": "it reads or writes files",
    "DELETE": "it writes",
    "DETACH": "it changes which files are open",
    "EXECUTE": "what was prepared is not visible to the check",
    "EXPORT": "it writes files",
    "FORCE": "it writes",
    "IMPORT": "it reads files",
    "INSERT": "it writes",
    "INSTALL": "it loads code",
    "LOAD": "it loads code",
    "MERGE": "it writes",
    "PRAGMA": "it may change settings",
    "PREPARE": "what is prepared may write",
    "RESET": "it changes settings",
    "ROLLBACK": "a cell already reads one version of the file",
    "SET": "it changes settings",
    "START": "a cell already reads one version of the file",
    "TRUNCATE": "it writes",
    "UPDATE": "it writes",
    "USE": "it changes where names are looked up",
    "VACUUM": "it writes",
}
"""Statements that people type, with the reason they do not pass; others do not pass either."""

FILE_ENDINGS: Final = tuple(
    """
    .arrow .avro .bz2 .csv .db .db3 .duckdb .feather .geojson .gz .ipc .json .jsonl .ndjson .parquet
    .sqlite .sqlite3 .tsv .txt .xls .xlsx .xz .zip .zst
    """.split()
)
"""A table named like this, without a schema, is taken for a file."""
