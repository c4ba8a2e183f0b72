"""Strong colors, as photographs and drawings have them and stacks of MRI sequences do not.

A stack looks strongly colored where a sequence is missing or covers half of a head, but then in one hue,
and each of its channels shows a head.
"""

from __future__ import annotations

import numpy as np

from btmodels.quality.findings import Finding

BRIGHT = 0.3
"""Share of a picture's top from which a pixel's brightest channel counts."""

STRONG = 0.25
"""Share of a picture's top by which one channel of a strongly colored pixel outshines both others."""

LEAST_COLORED, LEAST_SECOND = 0.3, 0.08
"""Share of the bright pixels that must be strongly colored, and that the second of three hues must take:
of 3,459 LGG slices 384 reach the former, and none reaches both without a channel that shows a head."""


def hues(values: np.ndarray) -> tuple[float, ...]:
    """Return the share of bright pixels that each channel strongly outshines, the largest first.

    Args:
        values: float32, (rows, cols, 3), 0 to 255, from `btmodels.quality.head_features.resize`.
    """
    brightest = values.max(axis=2)
    top = max(1.0, float(np.percentile(brightest, 99.5)))
    bright = brightest > BRIGHT * top
    rest = [np.delete(values, channel, axis=2).max(axis=2) for channel in range(3)]
    count = max(1, int(bright.sum()))
    shares = [
        float((bright & (values[..., channel] - rest[channel] > STRONG * top)).sum()) / count
        for channel in range(3)
    ]
    return tuple(sorted(shares, reverse=True))


def is_strong(values: np.ndarray, spoiled: bool) -> bool:
    """Tell whether a picture is strongly colored in several hues.

    Args:
        values: As for `hues`.
        spoiled: Whether its range of values is wrong, too, as that of no stack is: then one hue is enough.
    """
    shares = hues(values)
    return sum(shares) >= LEAST_COLORED and (spoiled or shares[1] > LEAST_SECOND)


def finding(values: np.ndarray) -> Finding:
    """Return what is said of a strongly colored picture none of whose channels shows a head."""
    text = (
        "This is a picture in colors, not an MRI slice: the three channels of a slice are three "
        "sequences of one head, and none of these shows a head. No mask is drawn."
    )
    share = 100 * sum(hues(values))
    evidence = f"{share:.0f}% of what is bright in it is strongly red, green or blue."
    return Finding("not_a_brain", "stop", text, evidence)
