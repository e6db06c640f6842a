import pandas as pd
from scripts.db_utils import open_sqlite_readonly


def find(name, limit, ids, column, since):
    con = open_sqlite_readonly()
    con.execute(f"SELECT * FROM dogs WHERE dog_name = '{name}'")  # expect: built-sql:warning
    con.execute("SELECT * FROM dogs WHERE dog_name = '%s'" % name)  # expect: built-sql:warning
    con.execute("SELECT * FROM dogs WHERE dog_name = '" + name + "'")  # expect: built-sql:warning
    con.execute("SELECT * FROM dogs WHERE dog_name = '{}'".format(name))  # expect: built-sql:warning
    con.execute("SELECT * FROM dogs WHERE born > {since}".format(since=since))  # expect: built-sql:warning
    con.execute(f"SELECT * FROM dogs WHERE id IN ({','.join(map(str, ids))})")  # expect: built-sql:warning
    con.execute(f"SELECT {column} FROM dogs")  # expect: built-sql:note
    con.execute(f"SELECT * FROM dogs ORDER BY {column} LIMIT 5")  # expect: built-sql:note
    pd.read_sql(f"SELECT * FROM dogs LIMIT {limit}", con)  # expect: built-sql:warning
    query = "SELECT * FROM dogs"
    if name:
        query += f" WHERE dog_name LIKE '%{name}%'"  # expect: built-sql:warning
    return pd.read_sql_query(query, con)


def fine(con, ids, limit, name, conditions_wanted):
    marks = ",".join("?" * len(ids))
    con.execute(f"SELECT * FROM dogs WHERE id IN ({marks})", ids)
    con.execute("SELECT * FROM dogs WHERE id IN (%s)" % ",".join("?" for _ in ids), ids)
    con.execute("SELECT * FROM dogs WHERE id IN ({})".format(", ".join(["?"] * len(ids))), ids)
    con.execute(f"SELECT * FROM dogs LIMIT {int(limit)}")
    con.execute("SELECT * FROM dogs LIMIT %d" % limit)
    con.execute("SELECT * FROM dogs " + "WHERE dog_name = ?", (name,))
    conditions = ["1 = 1"]
    values = []
    if conditions_wanted:
        conditions.append("dog_name = ?")
        values.append(name)
    where = " AND ".join(conditions)
    con.execute(f"SELECT * FROM dogs WHERE {where}", values)
    sql = "SELECT * FROM dogs WHERE 1 = 1"
    if name:
        sql += " AND dog_name = ?"
    con.execute(sql, (name,))
