"""Scores of a mask against the expert's, all of them formulas on four counts.

The empty case is decided here, once: a score whose denominator is zero is undefined and returned as
None. So the Dice of an empty mask against an empty truth is None, not 1, and is left out of means;
how a network behaves on slices without tumor is told by the false-alarm rate instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

TUMOR_SIZES = (1, 100, 300, 1000, 3000)
"""Least number of tumor pixels in a slice of each group of `score_by_size`."""


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


def check_same_shape(prediction: np.ndarray, truth: np.ndarray) -> None:
    """Refuse a mask that cannot be compared with a truth.

    Raises:
        ValueError: The shapes differ.
    """
    if prediction.shape != truth.shape:
        raise ValueError(
            "A mask and its truth must have one shape. "
            f"Received: prediction.shape={prediction.shape}, truth.shape={truth.shape}"
        )


def count(prediction: np.ndarray, truth: np.ndarray) -> Counts:
    """Count the outcomes of a mask's pixels.

    Args:
        prediction: bool, any shape.
        truth: bool, the same shape.

    Raises:
        ValueError: The shapes differ.
    """
    check_same_shape(prediction, truth)
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
        ``tumor_slice_dice`` (mean over slices whose truth is not empty), ``detected`` (whether any pixel
        of the tumor is marked; None without a tumor), ``tumor_pixels`` of the truth, ``tumor_slices``,
        ``empty_slices``, ``false_alarm_slices`` (empty ones in which anything is marked), ``slices``.
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
        "detected": volume.tp > 0 if tumor else None,
        "tumor_pixels": volume.tp + volume.fn,
        "tumor_slices": len(tumor),
        "empty_slices": len(empty),
        "false_alarm_slices": sum(c.fp > 0 for c in empty),
        "slices": len(slices),
    }


def score_by_size(slices: Iterable[Counts]) -> list[dict[str, Any]]:
    """Score slices with tumor in groups by the size of the tumor in them.

    Returns:
        A row a group of `TUMOR_SIZES`: ``from`` and ``to`` (true pixels of a slice, ``to`` not among
        them and None where open), ``slices``, their mean ``dice``, and ``found``, the share of them in
        which any pixel of the tumor is marked; both None for a group without slices.
    """
    rows = []
    slices = list(slices)
    for least, end in pairwise((*TUMOR_SIZES, None)):
        group = [c for c in slices if least <= c.tp + c.fn and (end is None or c.tp + c.fn < end)]
        rows.append(
            {
                "from": least,
                "to": end,
                "slices": len(group),
                "dice": mean_of(dice(c) for c in group),
                "found": _ratio(sum(c.tp > 0 for c in group), len(group)),
            }
        )
    return rows


def roc_curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trace what a falling threshold on a score does: a point a distinct score, and (0, 0) before.

    Args:
        scores: float, (n,).
        labels: bool, (n,).

    Returns:
        False and true positive rates, (points,) each, 0 to 1; both empty where a class is absent.
    """
    hits, misses = _falling(scores, labels)
    if not hits[-1] or not misses[-1]:
        return np.empty(0), np.empty(0)
    return misses / misses[-1], hits / hits[-1]


def precision_recall_curve(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Trace what a falling threshold on a score does: a point a distinct score, none beyond them.

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
    """True and false positives at and above each distinct score, falling; none of either come first."""
    scores, labels = np.asarray(scores, float), np.asarray(labels, bool)
    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.diff(scores[order], append=-np.inf))  # ties share one threshold
    hits = np.r_[0, np.cumsum(labels[order])[last]]
    return hits, np.r_[0, last + 1] - hits


def roc_auc(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Area under the ROC curve: the chance that a positive scores above a negative, ties half
    (Hanley & McNeil 1982, Radiology 143:29). None where one of the classes is absent.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    false_positive_rate, true_positive_rate = roc_curve(scores, labels)
    if not len(false_positive_rate):
        return None
    return float(np.trapezoid(true_positive_rate, false_positive_rate))


def average_precision(scores: np.ndarray, labels: np.ndarray) -> float | None:
    """Sum over thresholds of recall gained times precision; None without a positive.

    Args:
        scores: float, (n,).
        labels: bool, (n,).
    """
    recalls, precisions = precision_recall_curve(scores, labels)
    return float(np.diff(recalls, prepend=0) @ precisions) if len(recalls) else None


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


def reliability(
    probability: np.ndarray, labels: np.ndarray, bins: int = 10
) -> list[tuple[float, float, int]]:
    """Hold what was said against what was so, in bins of equal width.

    Args:
        probability: float, (n,), 0 to 1.
        labels: bool, (n,).
        bins: Number of bins from 0 to 1; empty ones are left out.

    Returns:
        For each bin the mean probability, the share of positives, and how many there are.
    """
    probability, labels = np.asarray(probability, float), np.asarray(labels, bool)
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return [
        (float(probability[chosen].mean()), float(labels[chosen].mean()), int(chosen.sum()))
        for chosen in (which == each for each in np.unique(which))
    ]


def calibration_error(probability: np.ndarray, labels: np.ndarray, bins: int = 10) -> float | None:
    """Expected calibration error: the mean gap of `reliability`, each bin weighted by its number
    (Guo et al. 2017, arXiv:1706.04599). None without labels."""
    rows = reliability(probability, labels, bins)
    gaps = sum(number * abs(said - positive) for said, positive, number in rows)
    return _ratio(gaps, sum(number for _, _, number in rows))
