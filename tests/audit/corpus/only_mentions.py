"""Uses ANALYTICS_DB_PATH; see greyhound_racing_data.db and os.getenv("STAGING_DB_PATH")."""
import logging
import os
import subprocess

if os.getenv("ANALYTICS_DB_PATH"):
    print("analytics is", os.getenv("ANALYTICS_DB_PATH"))
logging.info("staging: %s", os.environ.get("STAGING_DB_PATH", "unset"))
assert "GREYHOUND_DB_PATH" not in os.environ
subprocess.run(["greynb", "sync"], env={**os.environ, "GREYNB_LOG": "1"}, check=True)
os.environ["ANALYTICS_DB_PATH"] = os.environ["GREYHOUND_DB_PATH"]
print("expects greyhound_racing_data.db beside the script")
if os.path.basename("x") == "greyhound_racing_data.db":
    raise SystemExit("greyhound_racing_data.db must not be used any more")
