cd "$(dirname "$0")" || exit 1
STAGING_DB_PATH=./greyhound_racing_data_writable.db python scripts/ingest_odds.py --limit 200 # expect: hardcoded-path:warning
python - <<'PY'
import sqlite3
sqlite3.connect("greyhound_racing_data.db").execute("VACUUM")  # expect: raw-connect:warning
PY
python -c 'print("nothing")'
echo 'It is
a text of two lines' | mail -s "sqlite3 greyhound_racing_data.db" me
if [ -f x ]; then mv greyhound_racing_data.db old.db; fi # expect: copied-database:warning
