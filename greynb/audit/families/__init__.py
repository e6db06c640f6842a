"""The rules on Python, one module per family; each yields what it found in one module's flow."""
