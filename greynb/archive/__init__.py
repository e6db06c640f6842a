"""Old rows of staging moved to Parquet files, and back: verified first, resumable, and still readable."""

from greynb.archive.archiving import Archived, archive
from greynb.archive.restoring import Restored, restore

__all__ = ["Archived", "Restored", "archive", "restore"]
