"""A backup before something writes to staging, a comparison after it, and the way back.

`greynb.guard` is in `block`; nothing is imported here, so that `backups` can be listed at once.
"""
