"""Simulation of musculoskeletal models; OpenSim is imported here and in ``models`` alone."""
