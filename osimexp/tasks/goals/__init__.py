"""Goals, each with the terms that belong to it: a gait to follow, speeds to hold."""
