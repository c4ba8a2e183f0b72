"""Convert slices to network inputs, and probability maps to masks."""
