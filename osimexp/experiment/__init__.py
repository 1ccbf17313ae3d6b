"""One run: seeding, the training loop, metrics, checkpoints and where they are kept."""
