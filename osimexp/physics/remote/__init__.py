"""Simulation of a batch on a Ray cluster."""
