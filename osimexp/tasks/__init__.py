"""Tasks: batches of environments with observations, rewards, actions and endings."""
