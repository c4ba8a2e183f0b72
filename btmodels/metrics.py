"""Scores of a mask against the expert's, all of them formulas on four counts.

The empty case is decided here, once: a score whose denominator is zero is undefined and returned as
None. So the Dice of an empty mask against an empty truth is None, not 1, and is left out of means;
how a network behaves on slices without tumor is told by the false-alarm rate instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Counts:
    """Pixels by outcome: true and false positives, false and true negatives."""

    tp: int
    fp: int
    fn: int
    tn: int

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn
        )


def count(prediction: np.ndarray, truth: np.ndarray) -> Counts:
    """Count the outcomes of a mask's pixels.

    Args:
        prediction: bool, any shape.
        truth: bool, the same shape.

    Raises:
        ValueError: The shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(
            "A mask and its truth must have one shape. "
            f"Received: prediction.shape={prediction.shape}, truth.shape={truth.shape}"
        )
    prediction, truth = prediction.astype(bool), truth.astype(bool)
    tp = int(np.count_nonzero(prediction & truth))
    fp = int(np.count_nonzero(prediction)) - tp
    fn = int(np.count_nonzero(truth)) - tp
    return Counts(tp, fp, fn, prediction.size - tp - fp - fn)


def total(counts: Iterable[Counts]) -> Counts:
    """Sum counts; of none, all zero."""
    return sum(counts, Counts(0, 0, 0, 0))


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def dice(counts: Counts) -> float | None:
    """2 TP / (2 TP + FP + FN); None where both masks are empty (Dice 1945, Ecology 26:297)."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def iou(counts: Counts) -> float | None:
    """TP / (TP + FP + FN), the Jaccard index; None where both masks are empty."""
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn)


def precision(counts: Counts) -> float | None:
    """TP / (TP + FP); None where nothing is marked."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> float | None:
    """TP / (TP + FN), sensitivity; None where the truth is empty."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def pixel_accuracy(counts: Counts) -> float | None:
    """(TP + TN) / all. Say it only beside `empty_mask_accuracy`: most pixels are background."""
    return _ratio(counts.tp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def empty_mask_accuracy(counts: Counts) -> float | None:
    """Pixel accuracy that a mask with nothing in it would have."""
    return _ratio(counts.fp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the defined values; None where none is."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def median_of(values: Iterable[float | None]) -> float | None:
    """Median of the defined values; None where none is."""
    defined = [value for value in values if value is not None]
    return float(np.median(defined)) if defined else None


def score_patient(slices: Sequence[Counts]) -> dict[str, Any]:
    """Score one patient's slices.

    Returns:
        ``dice``, ``iou``, ``precision``, ``recall`` on the counts of all slices together (volumetric),
        ``tumor_slice_dice`` (mean over slices whose truth is not empty), ``empty_slices``,
        ``false_alarm_slices`` (empty ones in which anything is marked) and ``slices``.
    """
    volume = total(slices)
    tumor = [c for c in slices if c.tp + c.fn]
    empty = [c for c in slices if not c.tp + c.fn]
    return {
        "dice": dice(volume),
        "iou": iou(volume),
        "precision": precision(volume),
        "recall": recall(volume),
        "tumor_slice_dice": mean_of(dice(c) for c in tumor),
        "empty_slices": len(empty),
        "false_alarm_slices": sum(c.fp > 0 for c in empty),
        "slices": len(slices),
    }


def bootstrap_interval(
    values: Sequence[float], statistic=np.mean, draws: int = 2000, seed: int = 0
) -> tuple[float, float] | None:
    """Percentile 95 % interval of a statistic over patients (Efron 1979), by resampling them.

    Args:
        values: One number a patient.
        statistic: From values along the last axis to numbers, e.g. ``np.mean``, ``np.median``.
        draws: Resamplings.
        seed: Of the resampling.

    Returns:
        (low, high), or None for fewer than two patients.
    """
    if len(values) < 2:
        return None
    generator = np.random.default_rng(seed)
    drawn = generator.choice(np.asarray(values, float), (draws, len(values)))
    low, high = np.percentile(statistic(drawn, axis=-1), [2.5, 97.5])
    return float(low), float(high)


def roc_auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half.

    By ranks (Hanley & McNeil 1982, Radiology 143:29). None where one of the classes is absent.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        return None
    values, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    upper = np.cumsum(counts)
    ranks = ((upper - counts + 1 + upper) / 2)[inverse]
    return float((ranks[labels].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Sum over thresholds of recall gained times precision; None without a positive.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    if not labels.any():
        return None
    order = np.argsort(-scores, kind="stable")
    scores, hits = scores[order], np.cumsum(labels[order])
    last = np.r_[np.flatnonzero(np.diff(scores)), len(scores) - 1]  # ties share one threshold
    found = hits[last]
    return float(np.sum(np.diff(np.r_[0, found]) / labels.sum() * (found / (last + 1))))


def sensitivity_at_specificity(
    scores: np.ndarray, labels: np.ndarray, specificity: float = 0.95
) -> float | None:
    """Largest share of positives above a threshold that at least ``specificity`` of the negatives
    stay below; None where one of the classes is absent."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    negatives = np.sort(scores[~labels])
    if not len(negatives) or not labels.any():
        return None
    allowed = int(np.floor((1 - specificity) * len(negatives) + 1e-9))
    threshold = negatives[len(negatives) - 1 - allowed]
    return float(np.mean(scores[labels] > threshold))


def calibration_error(
    probabilities: np.ndarray, labels: np.ndarray, bins: int = 10
) -> float | None:
    """Expected calibration error over equal-width bins (Guo et al. 2017, arXiv:1706.04599).

    Args:
        probabilities: float, (n,), 0 to 1.
        labels: bool, (n,).
        bins: Number of bins.
    """
    probabilities, labels = np.asarray(probabilities, float), np.asarray(labels, float)
    if not len(labels):
        return None
    which = np.minimum((probabilities * bins).astype(int), bins - 1)
    gaps = [
        abs(probabilities[which == b].sum() - labels[which == b].sum()) for b in np.unique(which)
    ]
    return float(sum(gaps) / len(labels))
