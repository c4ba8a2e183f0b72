"""Two networks compared on the same patients, each of whom neither has met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from btmodels.metrics.bootstrap import bootstrap_interval

PERCENTILES = (5.0, 95.0)
"""Of the bootstrapped mean differences: where an interval begins and ends."""

INTERVAL = (PERCENTILES[1] - PERCENTILES[0]) / 100
"""Share of the bootstrap that it holds."""

LEAST_GAIN = 0.008
"""Mean Dice that a network must gain to take another's place; smaller gains are within one seed's luck."""


def compare(
    own: Mapping[str, float | None], other: Mapping[str, float | None], choosing: Iterable[str]
) -> dict[str, Any]:
    """Compare two networks on the patients who may decide and whom both have judged.

    Args:
        own: Volumetric Dice by patient; None where it is undefined.
        other: The same of what it is compared with.
        choosing: Folders of the patients who may decide: none of the test patients.

    Returns:
        ``compared_patients``, ``difference`` (mean), its ``difference_interval`` over patients, ``better``
        (patients whose Dice is higher) and ``adopted``: whether the gain is at least `LEAST_GAIN` and the
        interval above 0. Without patients all is None but their number.
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
