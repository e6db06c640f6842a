import sqlite3
print "races:", sqlite3.connect("greyhound_racing_data.db")  # expect: not-checked:note
