"""Movements to look at: clips, pictures and pages."""
