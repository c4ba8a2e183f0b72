"""95% confidence intervals of scores by resampling patients (Efron 1979, Ann Statist 7:1).

Slices of one patient resemble each other, so whole patients are drawn with all their slices: resampling
slices would give intervals that are too narrow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

_PERCENTILES = (2.5, 97.5)


def bootstrap_interval(
    values: Sequence[float | None],
    statistic=np.mean,
    draws: int = 2000,
    seed: int = 0,
    percentiles: tuple[float, float] = _PERCENTILES,
) -> tuple[float, float] | None:
    """Return the interval of a statistic of one number per patient.

    Args:
        values: Of the patients; None where undefined, which is left out.
        statistic: From values along the last axis to numbers, e.g. ``np.mean``, ``np.median``.
        draws: Resamplings.
        seed: Of the resampling.
        percentiles: Of the resampled statistics, at which the interval begins and ends.

    Returns:
        (low, high), or None for fewer than two patients.
    """
    defined = np.array([value for value in values if value is not None], float)
    if len(defined) < 2:
        return None
    drawn = np.random.default_rng(seed).choice(defined, (draws, len(defined)))
    low, high = np.percentile(statistic(drawn, axis=-1), percentiles)
    return float(low), float(high)


def paired_difference(
    ours: Mapping[str, float | None], theirs: Mapping[str, float | None]
) -> tuple[float, tuple[float, float]] | None:
    """Return how far one score is ahead of another on the same patients, on average, and its interval.

    What is hard about a patient is hard for both and drops out of the difference, so its interval may
    leave 0 out where the intervals of the two scores overlap. Both were trained once: the luck of one
    training is not in it.

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
    draws: int = 2000,
    seed: int = 0,
) -> tuple[float, float] | None:
    """Return the interval of a score of all slices together.

    Args:
        groups: What the score needs of each patient.
        formula: From a list of such groups to the score, None where it is undefined.
        draws: Resamplings; those with an undefined score are left out.
        seed: Of the resampling.

    Returns:
        (low, high), or None for fewer than two patients or without any defined score.
    """
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(seed)
    chosen = (rng.integers(len(groups), size=len(groups)) for _ in range(draws))
    values = [formula([groups[index] for index in each]) for each in chosen]
    defined = [value for value in values if value is not None]
    if not defined:
        return None
    low, high = np.percentile(defined, _PERCENTILES)
    return float(low), float(high)
