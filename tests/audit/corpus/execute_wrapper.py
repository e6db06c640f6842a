class Store:
    def __init__(self, con):
        self.con = con

    def rows(self, sql, values=()):
        return self.con.execute(sql, values).fetchall()

    def by_venue(self, venue):
        return self.rows(f"SELECT * FROM race_metadata WHERE venue = '{venue}'")  # expect: built-sql:warning

    def by_date(self, date):
        return self.rows("SELECT * FROM race_metadata WHERE race_date = ?", (date,))
