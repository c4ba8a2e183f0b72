"""The presentation: route, its editor, its page."""
