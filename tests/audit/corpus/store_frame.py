import greynb
import pandas as pd

frame = pd.DataFrame({"x": [1]})
con = greynb.get_conn()
frame.to_sql("picks", con, if_exists="append")  # expect: readonly-write:error
frame.to_sql("picks", greynb.get_conn("staging"), if_exists="append")
