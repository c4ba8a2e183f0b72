"""Training losses on logits, written once for Keras tensors in training and for NumPy arrays on pages,
which never load Keras.

All take the truth (0 to 1) and logits (before the sigmoid) of one shape, such as (batch, rows, cols, 1),
and optional weights: the number of pixels that each value represents. They return one number: a float32
scalar tensor, or a float64 if truth and logits are NumPy arrays or plain numbers.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np


def bce(truth, logits, weights=None):
    """Mean binary cross-entropy of logits, numerically stable for large logits.

    Formula: max(z, 0) - z t + log(1 + exp(-|z|)).
    """
    ops, truth, logits, weights = _of_one_kind(truth, logits, weights)
    values = ops.relu(logits) - logits * truth + ops.log1p(ops.exp(-ops.abs(logits)))
    return _mean(ops, values, weights)


def soft_dice(truth, logits, weights=None, smooth: float = 1.0):
    """1 - Dice of probabilities, pooled over the whole batch (Milletari et al. 2016, arXiv:1606.04797).

    It is pooled because most slices have no tumor: their Dice would be 0 / 0, and with smoothing its
    gradient would be largest for a few false positives on an empty slice.

    Args:
        truth, logits, weights: As for all losses here.
        smooth: Added to numerator and denominator, so that an empty mask has loss 0 without tumor.
    """
    ops, truth, logits, weights = _of_one_kind(truth, logits, weights)
    probability = ops.sigmoid(logits)
    overlap = _sum(ops, truth * probability, weights)
    both = _sum(ops, truth, weights) + _sum(ops, probability, weights)
    return 1.0 - (2.0 * overlap + smooth) / (both + smooth)


def bce_dice(truth, logits, weights=None):
    """Sum of `bce` and `soft_dice`."""
    return bce(truth, logits, weights) + soft_dice(truth, logits, weights)


def tversky(truth, logits, weights=None, misses: float = 0.7, smooth: float = 1.0):
    """1 - Tversky index of probabilities, pooled over the whole batch (Salehi, Erdogmus, Gholipour 2017,
    arXiv:1706.05721): a Dice in which false negatives weigh more than false positives.

    Formula: 1 - (TP + s) / (TP + misses FN + (1 - misses) FP + s).

    Args:
        truth, logits, weights: As for all losses here.
        misses: Weight of false negatives, 0 to 1; at 1/2 the index is Dice.
        smooth: Added to numerator and denominator, so that an empty mask has loss 0 without tumor.
    """
    ops, truth, logits, weights = _of_one_kind(truth, logits, weights)
    probability = ops.sigmoid(logits)
    hits = _sum(ops, truth * probability, weights)
    missed = _sum(ops, truth * (1.0 - probability), weights)
    alarms = _sum(ops, (1.0 - truth) * probability, weights)
    return 1.0 - (hits + smooth) / (hits + misses * missed + (1.0 - misses) * alarms + smooth)


def focal(truth, logits, weights=None, gamma: float = 2.0, alpha: float = 0.25):
    """Mean focal loss (Lin, Goyal, Girshick, He, Dollar 2017, arXiv:1708.02002): cross-entropy in which
    well-classified pixels count little.

    Formula: a (1 - p)^gamma (-log p), where p is the probability of the true class, and a is ``alpha`` on
    tumor and 1 - ``alpha`` elsewhere; gamma and alpha default to the paper's best values.

    Args:
        truth, logits, weights: As for all losses here; a truth between 0 and 1 counts in both parts.
        gamma: Focusing parameter; 0 gives weighted cross-entropy.
        alpha: Weight of tumor pixels, 0 to 1.
    """
    ops, truth, logits, weights = _of_one_kind(truth, logits, weights)
    probability = ops.sigmoid(logits)
    # softplus(-z) = -log(sigmoid(z)), stable for large logits.
    tumor = alpha * (1.0 - probability) ** gamma * ops.softplus(-logits)
    other = (1.0 - alpha) * probability**gamma * ops.softplus(logits)
    return _mean(ops, truth * tumor + (1.0 - truth) * other, weights)


LOSSES = {"bce": bce, "dice": soft_dice, "bce_dice": bce_dice, "tversky": tversky, "focal": focal}
"""Losses by the keys of assets/metrics/losses.json."""


_NUMPY = SimpleNamespace(
    abs=np.abs,
    exp=np.exp,
    log1p=np.log1p,
    mean=np.mean,
    sum=np.sum,
    relu=lambda values: np.maximum(values, 0),
    softplus=lambda values: np.logaddexp(0, values),
    sigmoid=lambda values: np.exp(-np.logaddexp(0, -values)),
)
"""NumPy versions of the functions of `keras.ops` that the losses use."""


def _of_one_kind(truth, logits, weights) -> tuple[Any, ...]:
    """Return `keras.ops` or `_NUMPY`, and the values as its floats."""
    if isinstance(logits, np.ndarray | np.generic | float | int):
        numbers = (truth, logits, 1.0 if weights is None else weights)
        return _NUMPY, *np.broadcast_arrays(*(np.asarray(each, np.float64) for each in numbers))
    from keras import ops  # already loaded if there is a tensor

    return ops, ops.cast(truth, "float32"), ops.cast(logits, "float32"), weights


def _sum(ops, values, weights):
    return ops.sum(values if weights is None else weights * values)


def _mean(ops, values, weights):
    return ops.mean(values) if weights is None else ops.sum(weights * values) / ops.sum(weights)
