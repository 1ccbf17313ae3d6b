"""Adapters: our environments for other libraries, and their environments for our algorithms."""
