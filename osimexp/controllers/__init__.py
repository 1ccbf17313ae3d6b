"""Observation in, action out: trained, scripted and random controllers alike."""
