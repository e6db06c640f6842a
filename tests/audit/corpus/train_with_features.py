from scripts.db_utils import get_analytics_db_path, open_sqlite_readonly, open_sqlite_writable

features = open_sqlite_readonly(get_analytics_db_path())  # expect: writer-opens-analytics:warning
registry = open_sqlite_writable()
registry.execute("INSERT INTO ml_model_registry (name) VALUES (?)", ("v4",))
