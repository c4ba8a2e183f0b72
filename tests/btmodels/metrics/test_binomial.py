"""Exact intervals of counted shares, against tables."""

from __future__ import annotations

import pytest

from btmodels.metrics.binomial import detection_interval, exact_interval


def test_the_share_of_patients_detected_has_an_exact_interval():
    def share(found: int, trials: int):
        patients = {f"P{i}": {"tumor_pixels": 5} for i in range(trials)} | {
            "E": {"tumor_pixels": 0}
        }
        scored = {"detection_rate": found / trials, "patients": patients}
        return detection_interval(scored)

    assert share(20, 20) == (pytest.approx(0.8316, abs=1e-4), 1.0)
    assert share(18, 20) == (pytest.approx(0.6830, abs=1e-4), pytest.approx(0.9877, abs=1e-4))
    assert share(0, 20) == (0.0, pytest.approx(0.1684, abs=1e-4))
    assert detection_interval({"detection_rate": None, "patients": {}}) is None


def test_counts_that_make_no_share_are_refused():
    for found, trials in ((0, 0), (3, 2), (-1, 2)):
        with pytest.raises(ValueError, match="Received"):
            exact_interval(found, trials)
