"""Check a data folder and draw or check the split by patient."""
