"""The head in 3-D with the tumor inside, drawn in the browser."""
