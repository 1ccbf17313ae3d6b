"""Reinforcement learning experiments on OpenSim musculoskeletal models."""

__version__ = "0.1.0"
