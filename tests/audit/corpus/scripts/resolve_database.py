import logging
import os
from pathlib import Path

logger = logging.getLogger(__name__)


def _resolve(value):
    return Path(value).expanduser().resolve()


def analytics_database():
    for name in ("ANALYTICS_DB_PATH", "GREYHOUND_DB_PATH", "DATABASE_PATH"):
        value = os.getenv(name)  # expect: routing-differs:warning
        if not value:
            continue
        path = _resolve(value)
        if path.is_file():
            return str(path)
        logger.warning("Ignoring %s: there is no file %s", name, path)
    return str(_resolve("greyhound_racing_data.db"))
