"""Figures of single operations: a convolution, pooling and its ways back, a residual block."""
