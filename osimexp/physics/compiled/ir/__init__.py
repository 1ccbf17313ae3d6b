"""The record of equations: recorded scalars, programs and their interpreter."""
