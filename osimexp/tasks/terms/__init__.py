"""Terms for any task, one file for each kind."""
