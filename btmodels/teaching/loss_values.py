"""What `btmodels.training.losses` come to, in NumPy, for pages: those need Keras, which no page may load.

All take pixels' truths and logits of one shape and how many pixels each of them stands for; a test holds
them to the losses that training uses.
"""

from __future__ import annotations

import numpy as np

Values = np.ndarray | float


def bce(truth: Values, logits: Values, weights: Values = 1.0) -> float:
    """Return what `btmodels.training.losses.bce` comes to."""
    truth, logits, weights = _arrays(truth, logits, weights)
    return _mean(_softplus(logits) - logits * truth, weights)


def soft_dice(truth: Values, logits: Values, weights: Values = 1.0, smooth: float = 1.0) -> float:
    """Return what `btmodels.training.losses.soft_dice` comes to."""
    truth, logits, weights = _arrays(truth, logits, weights)
    probability = _sigmoid(logits)
    overlap = np.sum(weights * truth * probability)
    both = np.sum(weights * truth) + np.sum(weights * probability)
    return float(1 - (2 * overlap + smooth) / (both + smooth))


def bce_dice(truth: Values, logits: Values, weights: Values = 1.0) -> float:
    """Return what `btmodels.training.losses.bce_dice` comes to."""
    return bce(truth, logits, weights) + soft_dice(truth, logits, weights)


def tversky(
    truth: Values,
    logits: Values,
    weights: Values = 1.0,
    misses: float = 0.7,
    smooth: float = 1.0,
) -> float:
    """Return what `btmodels.training.losses.tversky` comes to."""
    truth, logits, weights = _arrays(truth, logits, weights)
    probability = _sigmoid(logits)
    hits = np.sum(weights * truth * probability)
    missed = np.sum(weights * truth * (1 - probability))
    alarms = np.sum(weights * (1 - truth) * probability)
    return float(1 - (hits + smooth) / (hits + misses * missed + (1 - misses) * alarms + smooth))


def focal(
    truth: Values,
    logits: Values,
    weights: Values = 1.0,
    gamma: float = 2.0,
    alpha: float = 0.25,
) -> float:
    """Return what `btmodels.training.losses.focal` comes to."""
    truth, logits, weights = _arrays(truth, logits, weights)
    probability = _sigmoid(logits)
    tumor = alpha * (1 - probability) ** gamma * _softplus(-logits)
    other = (1 - alpha) * probability**gamma * _softplus(logits)
    return _mean(truth * tumor + (1 - truth) * other, weights)


LOSSES = {"bce": bce, "dice": soft_dice, "bce_dice": bce_dice, "tversky": tversky, "focal": focal}
"""By the keys of assets/metrics/losses.json."""


def _arrays(*values: Values) -> tuple[np.ndarray, ...]:
    return np.broadcast_arrays(*(np.asarray(each, np.float64) for each in values))


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    return float(np.sum(weights * values) / np.sum(weights))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return np.exp(-_softplus(-logits))


def _softplus(logits: np.ndarray) -> np.ndarray:
    return np.logaddexp(0, logits)
