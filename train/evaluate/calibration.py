"""Calibration of pixel probabilities from counts by probability, so that no pixels need to be kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from btmodels.metrics.bootstrap import grouped_interval

BINS = 10
"""Bins of equal width from 0 to 1."""

LEAST_PROBABILITY = 0.05
"""Pixels below this do not count in the error: nearly all of a slice is air and healthy brain."""

_VALUES = np.arange(256)
_BIN_OF_VALUE = np.minimum(_VALUES * BINS // 255, BINS - 1)
_DRAWS = 500


def count_probabilities(
    probability_maps: Sequence[np.ndarray], truths: Sequence[np.ndarray]
) -> np.ndarray:
    """Count a patient's pixels by probability and truth.

    Args:
        probability_maps: uint8, (rows, cols) each, probability in 255ths.
        truths: bool, the same shapes.

    Returns:
        int64, (2, 256): pixels outside the tumor and within it at each probability, in 255ths.
    """
    counts = np.zeros((2, 256), np.int64)
    for values, truth in zip(probability_maps, truths, strict=True):
        counts[0] += np.bincount(values[~truth], minlength=256)
        counts[1] += np.bincount(values[truth], minlength=256)
    return counts


def calibrate(patients: Sequence[np.ndarray]) -> dict:
    """Compare probabilities with the truth, over all pixels of all patients.

    Args:
        patients: The result of `count_probabilities` for each patient.

    Returns:
        ``edges`` of the bins (the last bin is closed), and for each bin ``pixels``, mean ``probability``
        and share of ``tumor`` (both None for an empty bin); ``error``, the expected calibration error
        over pixels with a probability of at least `LEAST_PROBABILITY`, and its interval over patients.
    """
    pixels, said, tumor = _binned(sum(patients))
    return {
        "edges": [edge / BINS for edge in range(BINS + 1)],
        "pixels": [int(number) for number in pixels],
        "probability": _means(said, pixels),
        "tumor": _means(tumor, pixels),
        "error": _error(patients),
        "error_interval": grouped_interval(patients, _error, _DRAWS),
    }


def _binned(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return pixels, sum of probabilities, and tumor pixels in each bin: float, (BINS,) each."""
    weights = (counts.sum(axis=0), counts.sum(axis=0) * _VALUES / 255, counts[1])
    return tuple(np.bincount(_BIN_OF_VALUE, each, minlength=BINS) for each in weights)


def _means(sums: np.ndarray, pixels: np.ndarray) -> list[float | None]:
    return [float(s / number) if number else None for s, number in zip(sums, pixels, strict=True)]


def _error(patients: Sequence[np.ndarray]) -> float | None:
    counts = sum(patients) * (_VALUES >= LEAST_PROBABILITY * 255)
    pixels, said, tumor = _binned(counts)
    return float(np.abs(said - tumor).sum() / pixels.sum()) if pixels.any() else None
