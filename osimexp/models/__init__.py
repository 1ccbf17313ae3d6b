"""From settings to an exact model: anatomies as data, muscle sets, paths, files."""
