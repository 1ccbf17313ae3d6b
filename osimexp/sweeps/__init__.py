"""Many runs from one command: sweeps, and searches for better settings."""
