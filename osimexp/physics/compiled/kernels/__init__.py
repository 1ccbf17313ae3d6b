"""Loops over the rows of a batch: integration in time and fibre equilibrium."""
