"""Training losses on logits. All take float tensors (batch, rows, cols, 1) and return one number."""

from __future__ import annotations

from keras import ops


def bce(truth, logits):
    """Mean binary cross-entropy of logits, stable for large ones.

    Formula: max(z, 0) - z t + log(1 + exp(-|z|)).
    """
    truth, logits = ops.cast(truth, "float32"), ops.cast(logits, "float32")
    return ops.mean(ops.relu(logits) - logits * truth + ops.log1p(ops.exp(-ops.abs(logits))))


def soft_dice(truth, logits, smooth: float = 1.0):
    """1 - Dice of probabilities, pooled over the whole batch (Milletari et al. 2016, arXiv:1606.04797).

    Pooled, because most slices hold no tumor: a Dice for each of them would be 0 / 0, and with smoothing
    it would push hardest exactly where a few stray pixels are marked on an empty slice.

    Args:
        truth: 0 to 1.
        logits: Before the sigmoid.
        smooth: Added above and below, so that a batch without tumor has loss 0 for an empty mask.
    """
    truth = ops.cast(truth, "float32")
    probability = ops.sigmoid(ops.cast(logits, "float32"))
    overlap = ops.sum(truth * probability)
    return 1.0 - (2.0 * overlap + smooth) / (ops.sum(truth) + ops.sum(probability) + smooth)


def bce_dice(truth, logits):
    """Sum of `bce` and `soft_dice`."""
    return bce(truth, logits) + soft_dice(truth, logits)
