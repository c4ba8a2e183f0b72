"""The verdict on a slice from a segmenter's map: is there a tumor?

A slice's score is the mean log-odds of its highest pixels. In a stack of slices, a weight times the mean
score of both neighbors is added. Logistic regressions on the score, one for slices alone and one for slices
with neighbors, fitted to out-of-fold predictions, give a calibrated probability (Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btmodels.registry import Record
from btmodels.transforms.postprocess import sigmoid, smallest_part

TOP_PIXELS = 50
"""Number of highest pixels that make the score, counted in a slice of 256 x 256 pixels."""

ALONE, WITH_NEIGHBORS = "verdict", "verdict_with_neighbors"
"""Keys in a segmenter's record for the fields of a `VerdictRule`: for a slice alone, and with neighbors."""

# A level represents all probabilities that round to it; for 0 and 255 this is half an interval.
_PROBABILITY = np.clip(np.arange(256) / 255, 0.25 / 255, 1 - 0.25 / 255)
LOGITS = np.log(_PROBABILITY / (1 - _PROBABILITY))
"""Log-odds of each of the 256 values of a probability map."""


@dataclass(frozen=True)
class VerdictRule:
    """How the score of one segmenter becomes a verdict.

    Attributes:
        slope, intercept: Of the logistic regression on the score.
        threshold: On the probability, 0 to 1; at or above it the answer is yes.
        neighbor_weight: Weight of the neighbors in the score (`add_neighbors`); 0 for a slice alone.
    """

    slope: float
    intercept: float
    threshold: float
    neighbor_weight: float = 0.0

    def probability(self, score: float) -> float:
        """Return the probability of a tumor, 0 to 1, for a score with its neighbors, if they count."""
        return float(sigmoid(np.float64(self.slope * score + self.intercept)))


def rule_of(record: Record, key: str = ALONE) -> VerdictRule | None:
    """Return a rule in a segmenter's record; None if it was not fitted for this network.

    Args:
        record: The segmenter's.
        key: `ALONE` or `WITH_NEIGHBORS`.
    """
    fields = record.extra.get(key)
    return VerdictRule(**fields) if fields else None


def top_log_odds(probability_map: np.ndarray) -> float:
    """Return the mean log-odds of the highest pixels of a map.

    Args:
        probability_map: uint8, (rows, cols), probability in 255ths. The number of pixels follows the
            size, so that a slice has about the same score at any resolution.
    """
    most = min(smallest_part(TOP_PIXELS, *probability_map.shape), probability_map.size)
    counts = np.bincount(probability_map.ravel(), minlength=256)
    above = np.cumsum(counts[::-1])[::-1] - counts
    taken = np.clip(most - above, 0, counts)
    return float(taken @ LOGITS / most)


def add_neighbors(
    scores: np.ndarray, before: np.ndarray, after: np.ndarray, weight: float
) -> np.ndarray:
    """Return the scores plus a weight times the mean score of both neighbors, float, (slices,).

    Args:
        scores: float, (slices,).
        before, after: Scores of the neighboring slices, float, (slices,); NaN where there is none, and the
            slice itself stands in.
        weight: Weight of the neighbors.
    """
    before, after = (np.where(np.isnan(each), scores, each) for each in (before, after))
    return scores + weight * (before + after) / 2


def in_stack(scores: np.ndarray, weight: float) -> np.ndarray:
    """Return `add_neighbors` of all slices of a stack, float, (slices,), in stack order."""
    padded = np.pad(scores, 1, constant_values=np.nan)
    return add_neighbors(scores, padded[:-2], padded[2:], weight)
