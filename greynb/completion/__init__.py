"""What may stand at a place in a statement, and what is known of the names in it; for editors of cells."""
