"""Read scans and images of any common kind into slices; nothing here knows of networks."""
