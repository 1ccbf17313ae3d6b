"""The back end that spreads a batch over a Ray cluster."""
