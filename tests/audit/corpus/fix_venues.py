import sqlite3

DATABASE = "greyhound_racing_data.db"  # expect: hardcoded-path:warning


def main():
    con = sqlite3.connect(DATABASE)  # expect: raw-connect:warning
    con.execute("UPDATE race_metadata SET venue = 'RICH' WHERE venue = 'RICHMOND'")
    con.commit()
