"""The content of a visitor's session: samples, uploads, analyses, the state of the view."""
