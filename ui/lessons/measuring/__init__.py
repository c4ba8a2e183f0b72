"""Lesson: measuring a mask."""
