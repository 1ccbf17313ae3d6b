"""What a controller sees, is rewarded for and acts on: batches of environments."""
