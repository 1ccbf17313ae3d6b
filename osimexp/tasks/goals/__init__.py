"""Terms that belong together to one goal: a gait to follow, speeds to hold."""
