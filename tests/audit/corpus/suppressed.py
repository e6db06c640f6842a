import sqlite3

con = sqlite3.connect("greyhound_racing_data.db")  # greynb: ignore[raw-connect]
# The archive is a file of its own. greynb: ignore[raw-connect]
old = sqlite3.connect("greyhound_racing_data.db")
two = sqlite3.connect("greyhound_racing_data.db")  # greynb: ignore
not_that = sqlite3.connect("greyhound_racing_data.db")  # expect: raw-connect:warning  # greynb: ignore[built-sql]
