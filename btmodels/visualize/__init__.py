"""Draw masks over slices."""
