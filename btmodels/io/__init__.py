"""Read scans and images of common formats into slices, independently of any network."""
