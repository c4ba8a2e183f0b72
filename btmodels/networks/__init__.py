"""Functional Keras builders, one network a module, every layer named.

Every segmenter maps (batch, rows, cols, 3) to logits (batch, rows, cols, 1); every classifier to
logits (batch, 1). The last layer is named ``logits`` and is linear in float32: losses are computed on
logits, and a fitted temperature can divide them before the sigmoid.
"""
