"""One short script per page: read the input, make one call, draw."""
