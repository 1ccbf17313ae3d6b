"""Bodies, joints and coordinates of a model, and their equations of motion."""
