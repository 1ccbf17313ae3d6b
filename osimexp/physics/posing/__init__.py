"""Poses of a model: bodies, points, muscle paths, and the shapes that are drawn."""
