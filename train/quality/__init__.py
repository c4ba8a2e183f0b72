"""Fit and score the classifier of the input check."""
