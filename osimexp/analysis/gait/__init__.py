"""Gait analysis: strides, curves over the gait cycle, gait parameters, and their norms."""
