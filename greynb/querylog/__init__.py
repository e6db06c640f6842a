"""A local log of the statements that cells ran: off by default, and never in a cell's way."""

from greynb.querylog.entries import Entry
from greynb.querylog.slow import Group, nth, slowest
from greynb.querylog.storing import default_file, last
from greynb.querylog.writing import flush, note, trouble

__all__ = ["Entry", "Group", "default_file", "flush", "last", "note", "nth", "slowest", "trouble"]
