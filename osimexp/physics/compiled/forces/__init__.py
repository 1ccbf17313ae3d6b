"""The forces of a model other than its muscles."""
