"""Statements that would write, leave the analytics file or run unseen SQL.

``{staging}``, ``{analytics}``, ``{csv}``, ``{new}`` and ``{folder}`` stand for paths.
"""

from __future__ import annotations

STATEMENTS = r"""
INSERT INTO races VALUES (9, 'x', 1, 'y')
INSERT INTO analytics.main.races VALUES (9, 'x', 1, 'y')
INSERT INTO __greynb_1.races VALUES (9, 'x', 1, 'y')
INSERT INTO __greynb_1.main.races SELECT * FROM races
INSERT OR REPLACE INTO __greynb_1.races VALUES (1, 'x', 1, 'y')
WITH x AS (SELECT 1) INSERT INTO __greynb_1.races SELECT 9, 'x', 1, 'y'
WITH x AS (INSERT INTO __greynb_1.races VALUES (9, 'x', 1, 'y') RETURNING *) SELECT * FROM x
WITH x AS (DELETE FROM __greynb_1.races RETURNING *) SELECT * FROM x
SELECT * FROM (DELETE FROM __greynb_1.races RETURNING *)
UPDATE races SET venue = 'x'
UPDATE __greynb_1.races SET venue = 'x'
WITH x AS (SELECT 1) UPDATE __greynb_1.races SET venue = 'x'
DELETE FROM races
DELETE FROM __greynb_1.races
WITH x AS (SELECT 1) DELETE FROM __greynb_1.races
TRUNCATE races
TRUNCATE __greynb_1.races
MERGE INTO __greynb_1.races USING races r ON false WHEN NOT MATCHED THEN INSERT VALUES (9, 'x', 1, 'y')
CREATE TABLE evil (a INT)
CREATE TABLE evil AS SELECT 1
CREATE OR REPLACE TABLE races AS SELECT 1
CREATE TABLE __greynb_1.evil (a INT)
CREATE TABLE __greynb_1.main.evil AS SELECT 1
CREATE TABLE analytics.main.evil AS SELECT 1
CREATE TABLE memory.main.evil AS SELECT 1
CREATE TEMP TABLE __greynb_1.evil AS SELECT 1
CREATE TEMP TABLE analytics.evil AS SELECT 1
CREATE TEMP TABLE __greynb_x AS SELECT 1
CREATE VIEW evil AS SELECT 1
CREATE OR REPLACE VIEW races AS SELECT 1
CREATE VIEW __greynb_1.evil AS SELECT 1
CREATE MACRO evil() AS 1
CREATE FUNCTION evil() AS 1
CREATE INDEX i ON __greynb_1.races (venue)
CREATE UNIQUE INDEX i ON races (venue)
CREATE SCHEMA evil
CREATE SEQUENCE evil
CREATE TEMP SEQUENCE evil
CREATE TYPE evil AS ENUM ('a')
CREATE TEMP TYPE evil AS ENUM ('a')
CREATE SECRET evil (TYPE s3)
CREATE PERSISTENT SECRET evil (TYPE s3)
CREATE TRIGGER evil AFTER INSERT ON races BEGIN SELECT 1; END
DROP VIEW analytics.races
DROP VIEW analytics.main.races
DROP TABLE __greynb_1.races
DROP TABLE __greynb_1.main.races
DROP SCHEMA main CASCADE
DROP DATABASE analytics
DROP SEQUENCE evil
DROP INDEX i
DROP TYPE evil
DROP SECRET evil
DROP TABLE temp.x, __greynb_1.races
ALTER TABLE __greynb_1.races ADD COLUMN evil INT
ALTER VIEW races RENAME TO evil
ALTER TABLE __greynb_1.races RENAME TO evil
ALTER DATABASE analytics SET ALIAS TO evil
COMMENT ON VIEW races IS 'x'
ATTACH '{staging}' (TYPE sqlite)
ATTACH '{staging}' AS s (TYPE sqlite, READ_ONLY)
ATTACH IF NOT EXISTS '{staging}' AS s (TYPE sqlite)
ATTACH OR REPLACE '{staging}' AS s (TYPE sqlite)
ATTACH DATABASE '{staging}' AS s
ATTACH '{analytics}' AS again (TYPE sqlite)
ATTACH '{new}' AS fresh
ATTACH '{new}' (TYPE sqlite)
ATTACH ':memory:' AS m
ATTACH 'sqlite:{staging}' AS s
DETACH __greynb_1
DETACH DATABASE IF EXISTS analytics
USE memory
USE __greynb_1
USE analytics.main
FROM "{folder}/secret"."csv"
FROM "{folder}"."secret"."csv"
DESCRIBE "{folder}/secret"."csv"
SUMMARIZE "{folder}/secret"."csv"
FROM query_table('"{folder}/secret".csv')
FROM "{folder}/analytics"."duckdb"
COPY races TO '{new}'
COPY (SELECT 1) TO '{new}' (FORMAT csv)
COPY (SELECT * FROM races) TO '{new}' (FORMAT parquet)
COPY races FROM '{csv}'
COPY FROM DATABASE __greynb_1 TO analytics
COPY (FROM races) TO '/dev/stdout'
EXPORT DATABASE '{folder}/evil'
IMPORT DATABASE '{folder}'
LOAD sqlite
LOAD '{new}'
INSTALL httpfs
FORCE INSTALL httpfs
INSTALL httpfs FROM community
UPDATE EXTENSIONS
SET enable_external_access = true
SET lock_configuration = false
SET GLOBAL lock_configuration = false
SET SESSION search_path = '__greynb_1'
SET schema = '__greynb_1.main'
SET VARIABLE x = (SELECT 1)
SET sqlite_disable_multithreaded_scans = false
SET profiling_output = '{new}'
SET log_query_path = '{new}'
SET temp_directory = '{folder}'
RESET enable_external_access
RESET ALL
PRAGMA enable_profiling
PRAGMA enable_external_access
PRAGMA threads = 4
PRAGMA profiling_output = '{new}'
PRAGMA log_query_path = '{new}'
PRAGMA import_database('{folder}')
PRAGMA copy_database(a, b)
PRAGMA force_checkpoint
PRAGMA json_execute_serialized_sql('{{"statements":[]}}')
PRAGMA table_info('__greynb_1.races')
PRAGMA table_info('{csv}')
PRAGMA storage_info('races')
PRAGMA database_list
CALL sqlite_attach('{staging}')
CALL sqlite_attach('{staging}', overwrite = true)
CALL sqlite_query('__greynb_1', 'DELETE FROM races')
CALL sqlite_scan('{staging}', 'hidden')
CALL enable_logging()
CALL force_checkpoint()
CALL pragma_table_info('races')
CALL json_execute_serialized_sql('x')
CALL query('SELECT 1')
CHECKPOINT
FORCE CHECKPOINT
CHECKPOINT __greynb_1
VACUUM
VACUUM ANALYZE races
ANALYZE
BEGIN
BEGIN TRANSACTION READ WRITE
START TRANSACTION
COMMIT
ROLLBACK
PREPARE p AS DELETE FROM __greynb_1.races
PREPARE p AS SELECT 1
EXECUTE p
EXECUTE p(1)
DEALLOCATE p
EXPLAIN ANALYZE DELETE FROM __greynb_1.races
EXPLAIN ANALYZE INSERT INTO __greynb_1.races VALUES (9, 'x', 1, 'y')
EXPLAIN ANALYZE CREATE TABLE evil AS SELECT 1
EXPLAIN ANALYZE FROM "{folder}/secret"."csv"
FROM "{folder}"."secret"."csv"
DESCRIBE "{folder}/secret"."csv"
SUMMARIZE "{folder}/secret"."csv"
FROM query_table('"{folder}/secret".csv')
FROM "{folder}/analytics"."duckdb"
COPY races TO '{new}'
EXPLAIN ATTACH '{staging}' (TYPE sqlite)
EXPLAIN ANALYZE ATTACH '{staging}' (TYPE sqlite)
EXPLAIN (ANALYZE, FORMAT json) UPDATE __greynb_1.races SET venue = 'x'
EXPLAIN EXPLAIN DELETE FROM __greynb_1.races
EXPLAIN ANALYZE SELECT * FROM sqlite_scan('{staging}', 'hidden')
EXPLAIN
SELECT 1; ATTACH '{staging}' (TYPE sqlite)
SELECT 1;;; DELETE FROM __greynb_1.races; SELECT 2
SELECT 1 /* ; */; /* x */ DROP VIEW analytics.races
SELECT $$;$$; DELETE FROM __greynb_1.races
SELECT '--'; DELETE FROM __greynb_1.races --'
SELECT 1\u003b DELETE FROM __greynb_1.races
SELECT 1;\u00a0DELETE FROM __greynb_1.races
SELECT 1;\u3000ATTACH '{staging}' (TYPE sqlite)
\ufeffDELETE FROM __greynb_1.races
SELECT 1\u0000; DELETE FROM __greynb_1.races
"SELECT" 1
/* SELECT */ DELETE FROM __greynb_1.races
-- SELECT\nDELETE FROM __greynb_1.races
/* a /* b */ SELECT 1 */ DELETE FROM __greynb_1.races
CREATE TEMP TABLE t (a INT DEFAULT nextval('s'))
CREATE TEMP TABLE t AS SELECT 1; INSERT INTO __greynb_1.races SELECT 9, 'x', 1, 'y'
CREATE TEMP TABLE t AS (DELETE FROM __greynb_1.races RETURNING *)
CREATE TEMP TABLE t AS EXECUTE p
CREATE TEMP VIEW v AS DELETE FROM __greynb_1.races
CREATE TEMP MACRO m() AS 1); DELETE FROM __greynb_1.races; SELECT (1
CREATE TEMP MACRO sqlite_query(a, b) AS TABLE SELECT 1
CREATE TEMP MACRO sum(x) AS 0
CREATE TEMP MACRO m(x DELETE) AS x
SELECT * FROM __greynb_1.races
SELECT * FROM __greynb_1.main.races
SELECT * FROM "__greynb_1".races
SELECT * FROM "__GREYNB_1"."main"."races"
SELECT * FROM __GreyNb_1.sqlite_master
TABLE __greynb_1.races
DESCRIBE __greynb_1.races
SUMMARIZE __greynb_1.races
SHOW TABLES FROM __greynb_1
PIVOT __greynb_1.races ON venue USING count(*)
SELECT __greynb_1.main.races.venue FROM races
FROM '{csv}'
FROM "{csv}"
SELECT * FROM 'form.csv'
SELECT * FROM "form.csv"
DESCRIBE '{csv}'
SUMMARIZE '{csv}'
SELECT * FROM '{staging}'
SELECT * FROM '{folder}/*'
SELECT * FROM 's3://bucket/x'
SELECT * FROM 'https://example.org/x'
CREATE TEMP TABLE t AS FROM '{csv}'
CREATE TEMP VIEW t AS FROM '{csv}'
CREATE TEMP MACRO t() AS TABLE FROM '{csv}'
CREATE TEMP MACRO t() AS (SELECT count(*) FROM '{csv}')
""".strip().splitlines()

CALLS = """
sqlite_scan('{staging}', 'hidden')
main.sqlite_scan('{staging}', 'hidden')
system.main.sqlite_scan('{staging}', 'hidden')
system."main"."sqlite_scan"('{staging}', 'hidden')
"sqlite_scan"('{staging}', 'hidden')
SQLite_Scan('{staging}', 'hidden')
sqlite_query('{staging}', 'SELECT * FROM hidden')
sqlite_query('__greynb_1', 'DELETE FROM races RETURNING *')
sqlite_query('__greynb_1', 'ATTACH ''{staging}'' AS s')
sqlite_attach('{staging}')
sqlite_attach('{staging}', overwrite := true)
read_csv('{csv}')
read_csv_auto('{csv}')
read_csv(['{csv}'])
read_text('{csv}')
read_blob('{staging}')
read_json('{csv}')
read_json_auto('{csv}')
read_json_objects('{csv}')
read_ndjson('{csv}')
read_ndjson_auto('{csv}')
read_ndjson_objects('{csv}')
read_parquet('{csv}')
read_duckdb('{staging}')
parquet_scan('{csv}')
parquet_schema('{csv}')
parquet_metadata('{csv}')
parquet_file_metadata('{csv}')
parquet_kv_metadata('{csv}')
parquet_full_metadata('{csv}')
parquet_bloom_probe('{csv}', 'a', 1)
sniff_csv('{csv}')
glob('{folder}/*')
query('SELECT 1')
query('ATTACH ''{staging}'' (TYPE sqlite)')
query_table('{csv}')
query_table(['{csv}'])
query_table('__greynb_1.races')
query_table('"__greynb_1".main.races')
query_table('rac' || 'es')
json_execute_serialized_sql('x')
json_execute_serialized_sql(json_serialize_sql('SELECT 1'))
histogram('{csv}', a)
histogram('__greynb_1.races', venue)
histogram_values(races, venue)
pragma_table_info('__greynb_1.races')
pragma_table_info('__grey' || 'nb_1.races')
pragma_show('{csv}')
pragma_storage_info('races')
pragma_metadata_info()
arrow_scan(1, 2, 3)
arrow_scan_dumb(1, 2, 3)
pandas_scan(1)
python_map_function(1)
seq_scan('races')
duckdb_secrets()
duckdb_logs()
duckdb_extensions()
duckdb_temporary_files()
duckdb_external_file_cache()
duckdb_secret_types()
which_secret('a', 'b')
checkpoint()
force_checkpoint()
enable_logging()
disable_logging()
truncate_duckdb_logs()
enable_profiling(save_location := '{new}')
disable_profiling()
""".strip().splitlines()

SCALARS = """
nextval('s')
currval('s')
write_log('x')
json_serialize_plan('SELECT * FROM sqlite_scan(''{staging}'', ''hidden'')')
system.main.write_log('x')
"write_log"('x')
('x').write_log()
sleep_ms(100000)
pg_sleep(100)
sqlite_scan('{staging}', 'hidden')
read_text('{csv}')
query('SELECT 1')
__internal_compress_string_ubigint('x')
""".strip().splitlines()

TABLE_FRAMES = """
SELECT * FROM {}
FROM {}
WITH x AS (SELECT * FROM {}) SELECT * FROM x
SELECT (SELECT count(*) FROM {})
SELECT 1 WHERE EXISTS (FROM {})
SELECT 1 UNION ALL SELECT count(*) FROM {}
SELECT * FROM races JOIN LATERAL (FROM {}) ON true
SELECT * FROM races, {}
EXPLAIN ANALYZE FROM {}
DESCRIBE FROM {}
SUMMARIZE FROM {}
CREATE TEMP TABLE evil AS FROM {}
CREATE OR REPLACE TEMP VIEW evil AS FROM {}
CREATE TEMP MACRO evil() AS TABLE FROM {}
CREATE TEMP MACRO evil() AS (SELECT count(*) FROM {})
CREATE TEMP MACRO evil(x := (SELECT count(*) FROM {})) AS x
CREATE TEMP MACRO evil() AS 1, (x) AS (SELECT count(*) FROM {})
PIVOT (FROM {}) ON a USING count(*)
UNPIVOT (FROM {}) ON a
SELECT list_transform([1], lambda q: (SELECT count(*) FROM {}))
""".strip().splitlines()

SCALAR_FRAMES = """
SELECT {}
SELECT upper(CAST({} AS VARCHAR))
SELECT * FROM races WHERE {} IS NULL
SELECT * FROM races ORDER BY {}
SELECT sum(id) FILTER ({} IS NULL) FROM races
SELECT sum(id) OVER (PARTITION BY {}) FROM races
SELECT list_transform([1], lambda q: {})
SELECT CASE WHEN true THEN {} END
SELECT * FROM range({})
VALUES ({})
SELECT 1 LIMIT {}
CREATE TEMP MACRO evil() AS {}
CREATE TEMP MACRO evil(x := {}) AS x
CREATE TEMP VIEW evil AS SELECT {} AS a
PIVOT races ON venue || {} USING count(*)
PIVOT races ON venue USING any_value({})
SELECT * REPLACE ({} AS venue) FROM races
SELECT COLUMNS(c -> {} IS NULL) FROM races
""".strip().splitlines()
