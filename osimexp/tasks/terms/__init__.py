"""Terms that any task may use, one file for each kind."""
