from scripts.db_utils import get_staging_db_path, open_sqlite_readonly

con = open_sqlite_readonly(get_staging_db_path())  # expect: reader-opens-staging:warning
