"""Scores of a classifier: ROC, precision and recall, calibration."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from btmodels.metrics.overlap import _ratio


def roc_curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ROC curve: (0, 0), then one point for each distinct score, from high to low.

    Args:
        scores: float, (n,).
        labels: bool, (n,).

    Returns:
        False and true positive rates, (points,) each, 0 to 1; both empty if a class is absent.
    """
    hits, misses = _falling(scores, labels)
    if not hits[-1] or not misses[-1]:
        return np.empty(0), np.empty(0)
    return misses / misses[-1], hits / hits[-1]


def precision_recall_curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the precision-recall curve: one point for each distinct score, from high to low.

    Args:
        scores: float, (n,).
        labels: bool, (n,).

    Returns:
        Recall and precision, (points,) each, 0 to 1; both empty without a positive.
    """
    hits, misses = _falling(scores, labels)
    if not hits[-1]:
        return np.empty(0), np.empty(0)
    return hits[1:] / hits[-1], hits[1:] / (hits + misses)[1:]


def _falling(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return true and false positives at each distinct score, from high to low, after a first (0, 0)."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # ties share one threshold
    hits = np.r_[0, np.cumsum(labels[order])[last]]
    return hits, np.r_[0, last + 1] - hits


def over_groups(
    formula: Callable[[np.ndarray, np.ndarray], float | None],
) -> Callable[[Sequence[tuple[np.ndarray, np.ndarray]]], float | None]:
    """Return a formula of scores and labels as one of several patients' scores and labels together, for
    `btmodels.metrics.bootstrap.grouped_interval`."""
    return lambda groups: formula(*map(np.concatenate, zip(*groups, strict=True)))


def roc_auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Area under the ROC curve: the probability that a positive scores above a negative, with ties as half
    (Hanley & McNeil 1982, Radiology 143:29). None if a class is absent.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    false_positive_rate, true_positive_rate = roc_curve(scores, labels)
    if not len(false_positive_rate):
        return None
    return float(np.trapezoid(true_positive_rate, false_positive_rate))


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Sum of precision times increase in recall over all thresholds; None without a positive.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    recalls, precisions = precision_recall_curve(scores, labels)
    return float(np.diff(recalls, prepend=0) @ precisions) if len(recalls) else None


def sensitivity_at_specificity(
    scores: np.ndarray, labels: np.ndarray, specificity: float = 0.95
) -> float | None:
    """Largest sensitivity at a threshold with at least this specificity; None if a class is absent."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    negatives = np.sort(scores[~labels])
    if not len(negatives) or not labels.any():
        return None
    allowed = int(np.floor((1 - specificity) * len(negatives) + 1e-9))
    threshold = negatives[len(negatives) - 1 - allowed]
    return float(np.mean(scores[labels] > threshold))


def reliability(
    probability: np.ndarray, labels: np.ndarray, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Compare predicted probabilities with observed frequencies, in bins of equal width.

    Args:
        probability: float, (n,), 0 to 1.
        labels: bool, (n,).
        bins: Number of bins from 0 to 1; empty ones are left out.

    Returns:
        For each bin, the mean probability, the fraction of positives, and the number of samples.
    """
    probability, labels = np.asarray(probability, float), np.asarray(labels, bool)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        (float(probability[chosen].mean()), float(labels[chosen].mean()), int(chosen.sum()))
        for chosen in (which == each for each in np.unique(which))
    ]


def calibration_error(probability: np.ndarray, labels: np.ndarray, bins: int = 10) -> float | None:
    """Expected calibration error: the mean gap of `reliability`, weighted by the samples in each bin
    (Guo et al. 2017, arXiv:1706.04599). None without labels."""
    rows = reliability(probability, labels, bins)
    gaps = sum(number * abs(said - positive) for said, positive, number in rows)
    return _ratio(gaps, sum(number for _, _, number in rows))
