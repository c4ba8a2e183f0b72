"""Measure a mask: area, volume, shape, surface."""
