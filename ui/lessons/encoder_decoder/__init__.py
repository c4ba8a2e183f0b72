"""Lesson: encoder and decoder."""
