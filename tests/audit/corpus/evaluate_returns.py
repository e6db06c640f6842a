import greynb

con = greynb.get_conn("staging")  # expect: reader-opens-staging:error
print(con.execute("SELECT sum(profit) FROM bets").fetchone())
