"""Inference beyond one machine, on Ray: studies from the command line, and slices for several sites."""
