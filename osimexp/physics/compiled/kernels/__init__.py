"""Loops over rows of a batch: integration in time and fibre equilibrium."""
