"""What editors are told of a statement."""
