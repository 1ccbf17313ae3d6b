"""Benchmarks of speed, learning and soundness, such as ``python -m osimexp.bench physics``."""
