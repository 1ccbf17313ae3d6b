"""A hyperparameter search: Optuna proposes trials, and the best run becomes an experiment."""
