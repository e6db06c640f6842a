#!/bin/bash
count=${#ARRAY[@]} # a sign that is no comment: ${name#prefix}
sqlite3 -readonly "$STAGING_DB_PATH" "SELECT count(*) FROM bets" # expect: raw-connect:warning, reader-opens-staging:warning
sqlite3 "$STAGING_DB_PATH" "SELECT 1 -- expect: raw-connect:warning, reader-opens-staging:error
" # a comment's apostrophe
sqlite3 "$ANALYTICS_DB_PATH" \
  "SELECT 1" # greynb: ignore[raw-connect]
