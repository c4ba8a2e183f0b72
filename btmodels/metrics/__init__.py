"""Scores of masks and classifications, with bootstrap intervals."""
