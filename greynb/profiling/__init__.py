"""Column profiles: types, NULLs, different values, range, quartiles and how the values are spread."""
