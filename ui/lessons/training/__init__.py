"""Lesson: train one now."""
