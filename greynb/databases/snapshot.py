"""One consistent, still version of the analytics file for one cell."""
