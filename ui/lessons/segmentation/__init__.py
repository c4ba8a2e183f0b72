"""Lesson: what segmentation is."""
