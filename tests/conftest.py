"""What every test starts from: no routing variable of the person who runs it, no flaky deadlines."""

from __future__ import annotations

import os
import signal

from hypothesis import settings

from greynb.routing.storage import STORAGE_VARIABLES

# A shared machine pauses a test for longer than any useful deadline; runaway tests hit pytest's timeout.
# Where a change is judged (CI=true), the same examples come each time, so that it is judged for what it
# changes; everywhere else they are new in each run, and find what nobody thought of.
settings.register_profile("greynb", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("greynb")

# A shell that runs the suite in the background has SIGINT ignored, which every child would inherit.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

for name in (
    "STAGING_DB_PATH",
    "ANALYTICS_DB_PATH",
    "GREYHOUND_DB_PATH",
    "DATABASE_PATH",
    "DATABASE_URL",
    "ANALYTICS_ENGINE",
    "SPARK_REMOTE",
    "LAKE_DATA_PATH",
    "LAKE_DB_PATH",
    *STORAGE_VARIABLES,
):
    os.environ.pop(name, None)
