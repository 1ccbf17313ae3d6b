"""The reference back end: OpenSim itself, in worker processes."""
