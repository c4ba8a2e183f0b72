"""One thin file a page: read the input, make one call, draw."""
