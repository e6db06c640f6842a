import os
import sqlite3


def test_routing(tmp_path, monkeypatch):
    monkeypatch.setenv("ANALYTICS_DB_PATH", str(tmp_path / "a.db"))
    assert os.environ["ANALYTICS_DB_PATH"].endswith("a.db")
    con = sqlite3.connect(tmp_path / "greyhound_racing_data.db")
    con.execute("CREATE TABLE t (x)")


def test_helper(temp_db):
    sqlite3.connect(temp_db).execute("DELETE FROM t")
