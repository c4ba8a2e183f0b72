"""Lesson: who is in the test set?"""
