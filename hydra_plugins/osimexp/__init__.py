"""Hydra plugins of osimexp, which Hydra finds in this place: launchers and a sweeper."""
