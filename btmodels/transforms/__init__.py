"""Turn slices into what networks take, and probability maps into masks."""
