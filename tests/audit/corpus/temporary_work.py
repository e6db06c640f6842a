import sqlite3
import tempfile
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    con = sqlite3.connect(Path(folder) / "greyhound_racing_data.db")
    con.execute("CREATE TABLE t (x)")
handle = tempfile.NamedTemporaryFile(suffix=".db")
sqlite3.connect(handle.name).execute("CREATE TABLE t (x)")
PATTERNS = ("*.db", "*.sqlite3")
files = [path for path in Path(".").glob("*.db") if not path.name.endswith(".db-wal")]
