"""Python, read by `ast`: names and where they are bound, values, calls that open and execute."""
