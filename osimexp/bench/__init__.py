"""Benchmarks of speed and learning, such as ``python -m osimexp.bench physics``."""
