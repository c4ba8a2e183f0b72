"""Computations that only the lessons need."""
