"""Many runs: evaluation, tables and comparisons."""
