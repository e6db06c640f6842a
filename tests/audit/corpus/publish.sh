#!/usr/bin/env bash
set -euo pipefail
# cp greyhound_racing_data_stage.db greyhound_racing_data_analytics.db used to be here
STAGE="${STAGING_DB_PATH:-${GREYHOUND_DB_PATH:-greyhound_racing_data.db}}" # expect: routing-differs:warning
ANALYTICS=${GREYHOUND_DB_PATH:-$ANALYTICS_DB_PATH} # expect: routing-differs:error
cp "$STAGE" "$ANALYTICS" # expect: copied-database:warning
cp -p form_guides/*.csv archive/
sqlite3 "$ANALYTICS" "DELETE FROM bets WHERE stake IS NULL" # expect: raw-connect:warning, readonly-write:error
sqlite3 -readonly greyhound_racing_data_stage.db <<'SQL' # expect: raw-connect:warning
SELECT count(*) FROM race_metadata; -- it's all
SQL
sqlite3 :memory: "CREATE TABLE t (x)"
sqlite3 cache.db "CREATE TABLE t (x)" # expect: raw-connect:note
export ANALYTICS_DB_PATH=/data/races.db # expect: hardcoded-path:warning
export STAGING_DB_PATH="$STAGING_DB_PATH"
greynb sync && echo "done with greyhound_racing_data.db"
