TABLES = ("race_metadata", "dog_race_data")
SUFFIX = "_old"


def count(con, table):
    return con.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def main(con, quote):
    for table in TABLES:
        con.execute(f"SELECT count(*) FROM {table}{SUFFIX}")
        con.execute(f"DROP TABLE IF EXISTS {quote(table)}")
    count(con, "dogs"), count(con, "races")
    name = con.execute("SELECT name FROM sqlite_master").fetchone()[0]
    con.execute(f'ALTER TABLE "{name}" ADD COLUMN checked INTEGER')  # expect: built-sql:note
    con.execute('DELETE FROM "' + name.replace('"', '""') + '"')


ORDERS = {"date": "race_date", "venue": "venue"}


def sorted_by(con, wanted, direction):
    order = ORDERS.get(wanted, "race_date")
    way = "ASC" if direction == "asc" else "DESC"
    con.execute(f"SELECT * FROM race_metadata ORDER BY {order} {way}")
    con.execute("SELECT * FROM race_metadata ORDER BY " + ORDERS[wanted])
    for name, column in ORDERS.items():
        con.execute(f"SELECT {column} AS {name} FROM race_metadata")
    for name in ORDERS:
        con.execute(f"DROP TABLE IF EXISTS {name}")
