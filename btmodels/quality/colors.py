"""Detect strong colors, which photographs and drawings have, but MRI sequences as channels do not.

Channels of MRI look strongly colored if a sequence is missing or covers half of a head, but only in one
hue, and each channel shows a head.
"""

from __future__ import annotations

import numpy as np

from btmodels.quality import head_features
from btmodels.quality.findings import Finding

BRIGHT = 0.3
"""Minimum of a pixel's brightest channel, as a fraction of the picture's maximum."""

STRONG = 0.25
"""Minimum difference of one channel to both others in a strongly colored pixel, as a fraction of the
picture's maximum."""

LEAST_COLORED, LEAST_SECOND = 0.3, 0.08
"""Minimum fraction of bright pixels that are strongly colored, and that have the second most frequent hue:
384 of 3,459 LGG slices reach the former, and none reaches both without a channel that shows a head."""


def hues(values: np.ndarray) -> tuple[float, ...]:
    """Return for each channel the fraction of bright pixels that it dominates, the largest first.

    Args:
        values: float32, (rows, cols, 3), 0 to 255, from `btmodels.quality.head_features.resize`.
    """
    brightest = head_features.brightest_channel(values)
    top = max(1.0, float(np.percentile(brightest, 99.5)))
    bright = brightest > BRIGHT * top
    levels = values[bright].T
    shares = [
        float((levels[a] - np.maximum(levels[b], levels[c]) > STRONG * top).sum())
        / max(1, levels.shape[1])
        for a, b, c in ((0, 1, 2), (1, 0, 2), (2, 0, 1))
    ]
    return tuple(sorted(shares, reverse=True))


def is_strong(values: np.ndarray, spoiled: bool) -> bool:
    """Return whether a picture is strongly colored in several hues.

    Args:
        values: As for `hues`.
        spoiled: Whether its range of values is also wrong: then one hue is enough.
    """
    shares = hues(values)
    return sum(shares) >= LEAST_COLORED and (spoiled or shares[1] > LEAST_SECOND)


def finding(values: np.ndarray) -> Finding:
    """Return the finding for a strongly colored picture in which no channel shows a head."""
    text = (
        "This is a picture in colors, not an MRI slice: the three channels of a slice are three "
        "sequences of one head, and none of these shows a head. No mask is drawn."
    )
    share = 100 * sum(hues(values))
    evidence = f"{share:.0f}% of what is bright in it is strongly red, green or blue."
    return Finding("not_a_brain", "stop", text, evidence)
