"""Scores of a mask against the expert's: formulas on four counts, and the Hausdorff distance.

A score whose denominator is zero is undefined and returned as None. So the Dice of an empty mask against
an empty true mask is None, not 1, and is left out of means; the false-alarm rate describes how a network
behaves on slices without tumor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np

from btmodels.transforms.postprocess import outline

TUMOR_SIZES = (1, 100, 300, 1000, 3000)
"""Minimum number of tumor pixels in a slice for each group of `score_by_size`."""


class Counts(NamedTuple):
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
    """Check that a mask can be compared with a true mask.

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
    """Return the sum of counts; zero if there are none."""
    return sum(counts, Counts(0, 0, 0, 0))


def _ratio(numerator: float, denominator: float) -> float | None:
    return numerator / denominator if denominator else None


def dice(counts: Counts) -> float | None:
    """2 TP / (2 TP + FP + FN); None if both masks are empty (Dice 1945, Ecology 26:297)."""
    return _ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def iou(counts: Counts) -> float | None:
    """TP / (TP + FP + FN), the Jaccard index; None if both masks are empty."""
    return _ratio(counts.tp, counts.tp + counts.fp + counts.fn)


def precision(counts: Counts) -> float | None:
    """TP / (TP + FP); None if nothing is marked."""
    return _ratio(counts.tp, counts.tp + counts.fp)


def recall(counts: Counts) -> float | None:
    """TP / (TP + FN), sensitivity; None if the true mask is empty."""
    return _ratio(counts.tp, counts.tp + counts.fn)


def pixel_accuracy(counts: Counts) -> float | None:
    """(TP + TN) / all. Report it only with `empty_mask_accuracy`: most pixels are background."""
    return _ratio(counts.tp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def empty_mask_accuracy(counts: Counts) -> float | None:
    """Pixel accuracy of an empty mask."""
    return _ratio(counts.fp + counts.tn, counts.tp + counts.fp + counts.fn + counts.tn)


def false_alarm_rate(slices: Iterable[Counts]) -> float | None:
    """Share of slices with a marked pixel, of those without tumor; None if all have one."""
    alarms = [c.fp > 0 for c in slices if not c.tp + c.fn]
    return _ratio(sum(alarms), len(alarms))


def mean_of(values: Iterable[float | None]) -> float | None:
    """Mean of the defined values; None if there are none."""
    defined = [value for value in values if value is not None]
    return float(np.mean(defined)) if defined else None


def median_of(values: Iterable[float | None]) -> float | None:
    """Median of the defined values; None if there are none."""
    defined = [value for value in values if value is not None]
    return float(np.median(defined)) if defined else None


def count_by_patient(
    masks: Iterable[np.ndarray], truths: Iterable[np.ndarray], patients: Iterable[str]
) -> dict[str, list[Counts]]:
    """Count slices, grouped by patient in order of appearance.

    Args:
        masks: bool, (rows, cols) each.
        truths: bool, of the same shapes.
        patients: The patient of each slice.
    """
    found: dict[str, list[Counts]] = {}
    for mask, truth, name in zip(masks, truths, patients, strict=True):
        found.setdefault(str(name), []).append(count(mask, truth))
    return found


def patient_dice(counted: Mapping[str, Iterable[Counts]]) -> dict[str, float | None]:
    """Volumetric Dice of each patient, from the counts of all slices together; None if undefined."""
    return {name: dice(total(slices)) for name, slices in counted.items()}


def score_patient(slices: Sequence[Counts]) -> dict[str, Any]:
    """Score one patient's slices.

    Returns:
        ``dice``, ``iou``, ``precision``, ``recall`` on the counts of all slices together (volumetric),
        ``tumor_slice_dice`` (mean over slices with tumor), ``detected`` (whether any tumor pixel is
        marked; None without a tumor), ``tumor_pixels`` of the true mask, ``tumor_slices``,
        ``empty_slices``, ``false_alarm_slices`` (slices without tumor but with a marked pixel), ``slices``.
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
    """Score slices with tumor, grouped by the size of the tumor.

    Returns:
        A row for each group of `TUMOR_SIZES`: ``from`` and ``to`` (tumor pixels in a slice, ``to``
        exclusive and None if open), ``slices``, their mean ``dice``, and ``found``, the fraction of slices
        in which any tumor pixel is marked; both None for a group without slices.
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


PERCENTILE = 95.0
"""Percentile of the distances: the largest 5%, often from stray pixels, do not count."""


def hausdorff95(prediction: np.ndarray, truth: np.ndarray) -> float | None:
    """Return the 95% Hausdorff distance between the outlines of two masks.

    Distances run from each outline's pixels to the nearest pixel of the other outline; the result is the
    larger of both directions' 95th percentiles (Huttenlocher et al. 1993, IEEE Trans PAMI 15:850, with a
    percentile instead of the maximum). The outline is the mask's pixels with a 4-neighbor outside it; the
    area beyond the slice's edge counts as outside.

    Args:
        prediction: bool, (rows, cols).
        truth: bool, the same shape.

    Returns:
        Pixels, 0 if the outlines are the same; None if either mask is empty.

    Raises:
        ValueError: The shapes differ.
    """
    check_same_shape(prediction, truth)
    if not prediction.any() or not truth.any():
        return None
    one, other = outline(prediction), outline(truth)
    return max(_farthest(one, other), _farthest(other, one))


def _farthest(start: np.ndarray, goal: np.ndarray) -> float:
    distances = cv2.distanceTransform((~goal).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return float(np.percentile(distances[start].astype(np.float64), PERCENTILE))
