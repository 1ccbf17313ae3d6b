"""Comparison of runs: tables, figures, a page, and a table for papers."""
