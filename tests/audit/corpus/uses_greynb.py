import greynb

with greynb.get_conn() as con:
    frame = con.execute("SELECT * FROM race_metadata WHERE venue = ?", ["RICH"]).df()
with greynb.get_conn("staging") as con:
    con.execute("UPDATE race_metadata SET venue = upper(venue)")
greynb.get_conn(for_script=__file__)
