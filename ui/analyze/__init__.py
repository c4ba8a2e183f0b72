"""The parts of the Analyze page."""
