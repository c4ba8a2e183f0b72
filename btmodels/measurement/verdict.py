"""The verdict on a slice from a segmenter's map: is there a tumor?

A slice's score is the mean log-odds of its highest pixels. A logistic regression on that score, fitted to
out-of-fold predictions, gives a calibrated probability (Platt 1999).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btmodels.registry import Record
from btmodels.transforms.postprocess import sigmoid, smallest_part

TOP_PIXELS = 50
"""Number of highest pixels that make the score, counted in a slice of 256 x 256 pixels."""

VERDICT_KEY = "verdict"
"""Key in a segmenter's record for the fields of its `VerdictRule`."""

# A level represents all probabilities that round to it; for 0 and 255 this is half an interval.
_PROBABILITY = np.clip(np.arange(256) / 255, 0.25 / 255, 1 - 0.25 / 255)
LOGITS = np.log(_PROBABILITY / (1 - _PROBABILITY))
"""Log-odds of each of the 256 values of a probability map."""


@dataclass(frozen=True)
class VerdictRule:
    """How the map of one segmenter becomes a verdict.

    Attributes:
        slope, intercept: Of the logistic regression on `top_log_odds`.
        threshold: On the probability, 0 to 1; at or above it the answer is yes.
    """

    slope: float
    intercept: float
    threshold: float

    def probability(self, probability_map: np.ndarray) -> float:
        """Return the probability of a tumor, 0 to 1, for a map as `top_log_odds` takes it."""
        return float(
            sigmoid(np.float64(self.slope * top_log_odds(probability_map) + self.intercept))
        )


def rule_of(record: Record) -> VerdictRule | None:
    """Return the rule in a segmenter's record; None if it was not fitted for this network."""
    fields = record.extra.get(VERDICT_KEY)
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
