"""Musculoskeletal models and their simulation; the only place where OpenSim is imported."""
