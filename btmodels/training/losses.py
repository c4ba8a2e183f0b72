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


def tversky(truth, logits, misses: float = 0.7, smooth: float = 1.0):
    """1 - Tversky index of probabilities, pooled over the whole batch (Salehi, Erdogmus, Gholipour 2017,
    arXiv:1706.05721): a Dice in which a missed pixel weighs more than one marked in vain.

    Formula: 1 - (TP + s) / (TP + misses FN + (1 - misses) FP + s).

    Args:
        truth: 0 to 1.
        logits: Before the sigmoid.
        misses: Weight of false negatives, 0 to 1; at 1/2 the index is Dice.
        smooth: Added above and below, so that a batch without tumor has loss 0 for an empty mask.
    """
    truth = ops.cast(truth, "float32")
    probability = ops.sigmoid(ops.cast(logits, "float32"))
    hits = ops.sum(truth * probability)
    missed = ops.sum(truth * (1.0 - probability))
    alarms = ops.sum((1.0 - truth) * probability)
    return 1.0 - (hits + smooth) / (hits + misses * missed + (1.0 - misses) * alarms + smooth)


def focal(truth, logits, gamma: float = 2.0, alpha: float = 0.25):
    """Mean focal loss (Lin, Goyal, Girshick, He, Dollar 2017, arXiv:1708.02002): cross-entropy in which
    what is already right counts little.

    Formula: a (1 - p)^gamma (-log p), where p is the probability of what is so, and a is ``alpha`` on
    tumor and 1 - ``alpha`` elsewhere; gamma and alpha are the paper's best.

    Args:
        truth: 0 to 1; edge pixels in between count in both parts.
        logits: Before the sigmoid.
        gamma: How much less an easy pixel counts; 0 leaves weighted cross-entropy.
        alpha: Weight of tumor pixels, 0 to 1.
    """
    truth, logits = ops.cast(truth, "float32"), ops.cast(logits, "float32")
    probability = ops.sigmoid(logits)
    # softplus(-z) = -log(sigmoid(z)), stable for large logits.
    tumor = alpha * (1.0 - probability) ** gamma * ops.softplus(-logits)
    other = (1.0 - alpha) * probability**gamma * ops.softplus(logits)
    return ops.mean(truth * tumor + (1.0 - truth) * other)
