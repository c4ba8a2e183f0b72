"""Scores of masks and verdicts, with bootstrap intervals."""
