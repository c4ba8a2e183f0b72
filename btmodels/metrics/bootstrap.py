"""95% confidence intervals of scores by resampling patients (Efron 1979, Ann Statist 7:1).

Slices of one patient are correlated, so whole patients are drawn with all their slices: resampling slices
would give intervals that are too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

DRAWS = 2000
"""Number of resamples."""

_PERCENTILES = (2.5, 97.5)


def bootstrap_interval(
    values: Sequence[float | None],
    statistic=np.mean,
    percentiles: tuple[float, float] = _PERCENTILES,
) -> tuple[float, float] | None:
    """Return the interval of a statistic of one number per patient.

    Args:
        values: One per patient; undefined ones, None, are left out.
        statistic: Reduces the last axis, e.g. ``np.mean``, ``np.median``.
        percentiles: Percentiles of the resampled statistics that bound the interval.

    Returns:
        (low, high), or None for fewer than two patients.
    """
    defined = np.array([value for value in values if value is not None], float)
    if len(defined) < 2:
        return None
    drawn = np.random.default_rng(0).choice(defined, (DRAWS, len(defined)))
    low, high = np.percentile(statistic(drawn, axis=-1), percentiles)
    return float(low), float(high)


def paired_difference(
    ours: Mapping[str, float | None], theirs: Mapping[str, float | None]
) -> tuple[float, tuple[float, float]] | None:
    """Return the mean difference of two scores on the same patients and its interval.

    A patient's difficulty affects both scores and cancels in the difference, so its interval may exclude 0
    even if the intervals of the two scores overlap. Each network was trained once, so the interval does not
    cover the variance between training runs.

    Args:
        ours, theirs: Scores by patient; patients without both are left out.

    Returns:
        The mean difference and (low, high); None for fewer than two patients.
    """
    both = [name for name in ours if None not in (ours[name], theirs.get(name))]
    differences = [ours[name] - theirs[name] for name in both]
    interval = bootstrap_interval(differences)
    return None if interval is None else (float(np.mean(differences)), interval)


def grouped_interval(
    groups: Sequence[Any],
    formula: Callable[[list[Any]], float | None],
    draws: int = DRAWS,
) -> tuple[float, float] | None:
    """Return the interval of a score that is computed on all slices together.

    Args:
        groups: The data of each patient that the score needs.
        formula: Computes the score from a list of such groups; None if undefined.
        draws: Number of resamples; those with an undefined score are left out.

    Returns:
        (low, high), or None for fewer than two patients or without any defined score.
    """
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(0)
    chosen = (rng.integers(len(groups), size=len(groups)) for _ in range(draws))
    values = [formula([groups[index] for index in each]) for each in chosen]
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    low, high = np.percentile(defined, _PERCENTILES)
    return float(low), float(high)
