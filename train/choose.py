"""What is chosen on the validation patients once a network is trained: all of a record's dials."""

from __future__ import annotations

import keras
import numpy as np

from btmodels.measure import cut
from btmodels.metrics import count, dice, mean_of, total
from btmodels.preprocess import standardize, to_levels
from train.data import Subset

THRESHOLDS = tuple(round(float(t), 2) for t in np.arange(0.2, 0.81, 0.05))
CLEAN_UPS = (0, 10, 20, 40, 80)
"""Smallest part kept, in pixels of a 256 x 256 slice."""


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Logistic function, stable for large magnitudes."""
    return np.exp(-np.logaddexp(0, -logits))


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """Return the temperature with the least cross-entropy (Guo et al. 2017, arXiv:1706.04599).

    Args:
        logits: float, (n,).
        labels: bool, (n,).

    Returns:
        Between 0.1 and 10, to two significant decimals of its logarithm; 1 without both classes.
    """
    if labels.all() or not labels.any():
        return 1.0
    signed = np.where(labels, -logits, logits).astype(np.float64)
    candidates = np.exp(np.linspace(np.log(0.1), np.log(10), 231))
    costs = [np.logaddexp(0, signed / t).mean() for t in candidates]
    return round(float(candidates[int(np.argmin(costs))]), 4)


def choose_for_classifier(logits: np.ndarray, subset: Subset) -> dict:
    """Fit the temperature; take the threshold with the best sensitivity + specificity (Youden 1950)."""
    labels = subset.has_tumor
    temperature = fit_temperature(logits, labels)
    probability = sigmoid(logits / temperature)
    order = np.unique(probability)
    between = (order[1:] + order[:-1]) / 2 if len(order) > 1 else np.array([0.5])
    gains = [
        (probability[labels] >= t).mean() - (probability[~labels] >= t).mean() for t in between
    ]
    best = float(between[int(np.argmax(gains))])
    return {
        "threshold": round(min(max(best, 0.01), 0.99), 4),
        "temperature": temperature,
        "flips": True,
        "min_component_pixels": 0,
    }


def choose_for_segmenter(model: keras.Model, subset: Subset) -> dict:
    """Take flips, threshold and clean-up with the best mean volumetric Dice per patient."""
    plain, mirrored = _logit_maps(model, subset, False), _logit_maps(model, subset, True)
    truth, patients = subset.masks > 127, np.array(subset.patients)
    groups = [patients == name for name in dict.fromkeys(subset.patients)]
    temperature = fit_temperature(plain.reshape(-1)[::17], truth.reshape(-1)[::17])
    best: dict | None = None
    for flips in (False, True):
        probability = sigmoid(plain / temperature)
        if flips:
            probability = (probability + sigmoid(mirrored / temperature)) / 2
        levels = to_levels(probability)
        for threshold in THRESHOLDS:
            for parts in CLEAN_UPS:
                masks = [cut(item, threshold, parts) for item in levels]
                score = mean_of(
                    dice(total(count(masks[i], truth[i]) for i in np.flatnonzero(group)))
                    for group in groups
                )
                if best is None or score > best["validation_dice"]:
                    best = {
                        "threshold": threshold,
                        "temperature": temperature,
                        "flips": flips,
                        "min_component_pixels": parts,
                        "validation_dice": round(score, 6),
                    }
    return best


def _logit_maps(model: keras.Model, subset: Subset, mirror: bool) -> np.ndarray:
    maps = []
    for start in range(0, len(subset.pixels), 16):
        batch = np.stack([standardize(p) for p in subset.pixels[start : start + 16]])
        batch = batch[:, :, ::-1] if mirror else batch
        logits = np.asarray(model.predict_on_batch(batch))[..., 0].astype(np.float32)
        maps.append(logits[:, :, ::-1] if mirror else logits)
    return np.concatenate(maps)
