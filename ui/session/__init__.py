"""What a visitor's session holds: samples, uploads, analyses, the state of the view."""
