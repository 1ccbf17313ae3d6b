"""Movements over time: what was recorded or computed, whatever moved, and the files that hold it."""
