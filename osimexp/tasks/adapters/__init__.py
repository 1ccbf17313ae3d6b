"""Our environments for other libraries, and others' environments for our algorithms."""
