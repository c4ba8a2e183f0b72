"""Measure the speed and memory of the site."""
