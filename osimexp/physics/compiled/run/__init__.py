"""Execution of machine code over the rows of a batch."""
