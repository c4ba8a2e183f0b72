"""Compare two networks on the same patients, with neither trained on any of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from btmodels.metrics.bootstrap import bootstrap_interval

PERCENTILES = (5.0, 95.0)
"""Percentiles of the bootstrapped mean differences that bound an interval."""

INTERVAL = (PERCENTILES[1] - PERCENTILES[0]) / 100
"""Coverage of the interval."""

LEAST_GAIN = 0.008
"""Gain in mean Dice for a network to replace another; smaller gains are within the noise of one seed."""


def compare(
    own: Mapping[str, float | None], other: Mapping[str, float | None], choosing: Iterable[str]
) -> dict[str, Any]:
    """Compare two networks on the patients in ``choosing`` that both have scored.

    Args:
        own: Volumetric Dice by patient; None where it is undefined.
        other: The same for the other network.
        choosing: Folders of the patients to compare on; no test patients.

    Returns:
        ``compared_patients``, ``difference`` (mean), its ``difference_interval`` over patients, ``better``
        (patients with a higher Dice) and ``adopted``: whether the gain is at least `LEAST_GAIN` and the
        interval is above 0. Without patients, everything but their number is None.
    """
    shared = sorted(set(choosing) & set(own) & set(other))
    pairs = [(own[name], other[name]) for name in shared]
    differences = [a - b for a, b in pairs if a is not None and b is not None]
    if not differences:
        return {"compared_patients": 0, **dict.fromkeys(_FIGURES)}
    difference = float(np.mean(differences))
    interval = bootstrap_interval(differences, percentiles=PERCENTILES)
    figures = (
        difference,
        interval,
        sum(each > 0 for each in differences),
        difference >= LEAST_GAIN and interval is not None and interval[0] > 0,
    )
    return {"compared_patients": len(differences), **dict(zip(_FIGURES, figures, strict=True))}


_FIGURES = ("difference", "difference_interval", "better", "adopted")
