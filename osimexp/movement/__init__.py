"""Movements over time, recorded or computed, and the files that hold them."""
