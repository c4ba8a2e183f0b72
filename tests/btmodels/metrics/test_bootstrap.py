"""Intervals of scores over patients."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.metrics.bootstrap import bootstrap_interval, grouped_interval


def test_interval_covers_the_mean_and_shrinks_to_a_constant():
    low, high = bootstrap_interval([0.7, 0.8, 0.9, 1.0])
    assert 0.7 <= low < 0.85 < high <= 1.0
    assert bootstrap_interval([0.5] * 5) == (0.5, 0.5)
    assert bootstrap_interval([0.5]) is None


def test_undefined_patients_are_left_out():
    values = [0.7, 0.8, 0.9, 1.0]
    assert bootstrap_interval([None, *values, None]) == bootstrap_interval(values)
    assert bootstrap_interval([None, None, 0.5]) is None


def test_the_median_has_its_own_interval():
    values = [0.1, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8]
    assert bootstrap_interval(values, np.median) == (0.8, 0.8)
    assert bootstrap_interval(values, np.mean)[0] < 0.8


def share(parts: list[tuple[int, int]]) -> float | None:
    whole = sum(number for _, number in parts)
    return sum(some for some, _ in parts) / whole if whole else None


def test_patients_are_drawn_with_all_their_slices():
    # One patient of 90 slices with an alarm on each, one of 10 without: both, one or the other is drawn.
    low, high = grouped_interval([(90, 90), (0, 10)], share)
    assert (low, high) == (0, 1)
    assert grouped_interval([(1, 4)] * 3, share) == (0.25, 0.25)


def test_both_ways_to_resample_agree():
    values = list(np.linspace(0, 1, 20))
    found = grouped_interval([(value, 1) for value in values], share)
    assert found == pytest.approx(bootstrap_interval(values), abs=0.03)


def test_resamplings_without_a_score_are_left_out():
    assert grouped_interval([(1, 2), (0, 0)], share) == (0.5, 0.5)
    assert grouped_interval([(0, 0), (0, 0)], share) is None
    assert grouped_interval([(1, 2)], share) is None and grouped_interval([], share) is None
