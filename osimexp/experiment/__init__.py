"""One run: seeds, training loop, metrics, checkpoints, evaluations and the run folder."""
