"""Lesson: transfer learning."""
