"""Figures and text shared by several lessons."""
