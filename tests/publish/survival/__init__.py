"""What a publication must survive, each on real processes and files."""
