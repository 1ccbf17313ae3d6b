"""Models from their settings: anatomies as data, model files, muscle sets, fitted paths."""
