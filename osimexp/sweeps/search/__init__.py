"""A search for settings: Optuna proposes, runs are its trials, the best becomes an experiment."""
