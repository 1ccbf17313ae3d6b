"""Muscle paths: their lengths, and the forces along them."""
