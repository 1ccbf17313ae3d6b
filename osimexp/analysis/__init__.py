"""Gait analysis of movements, and statistics of runs."""
