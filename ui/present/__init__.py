"""The presentation: its route, editor and page."""
