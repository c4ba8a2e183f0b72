"""Figures of single operations: convolution, pooling and upsampling, a residual block."""
