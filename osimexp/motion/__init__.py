"""Movements over time and their files, without OpenSim."""
