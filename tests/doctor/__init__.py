"""The doctor, on databases with real faults."""
