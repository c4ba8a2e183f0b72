"""The lessons of Learn: one module each for the interactive parts; the text is in assets/lessons."""
