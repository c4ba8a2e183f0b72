"""The verdict from a map: the mean log-odds of its highest pixels, at any size."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.measurement.verdict import (
    TOP_PIXELS,
    VerdictRule,
    add_neighbors,
    in_stack,
    top_log_odds,
)


def test_only_the_highest_pixels_count():
    levels = np.zeros((256, 256), np.uint8)
    assert top_log_odds(levels) == pytest.approx(np.log(0.25 / 254.75))
    levels[9, :TOP_PIXELS] = 204
    assert top_log_odds(levels) == pytest.approx(np.log(4))
    levels[50:90] = 100  # lower pixels change nothing
    assert top_log_odds(levels) == pytest.approx(np.log(4))
    levels[9, : TOP_PIXELS // 2] = 51  # half of the highest are now at 100 of 255
    half = (np.log(4) + np.log(100 / 155)) / 2
    assert top_log_odds(levels) == pytest.approx(half)


def test_the_number_of_pixels_follows_the_size():
    small = np.zeros((64, 64), np.uint8)
    small[3, :4] = 204
    large = np.zeros((512, 512), np.uint8)
    large[3, : 4 * TOP_PIXELS] = 204
    assert top_log_odds(small) == pytest.approx(np.log(4)) == top_log_odds(large)
    assert top_log_odds(np.full((1, 1), 204, np.uint8)) == pytest.approx(np.log(4))


def test_a_rule_gives_a_probability():
    score = np.log(4)
    assert VerdictRule(1.0, 0.0, 0.5).probability(score) == pytest.approx(0.8)
    assert VerdictRule(0.5, np.log(2), 0.5).probability(score) == pytest.approx(0.8)


def test_neighbors_add_their_mean_and_a_slice_stands_in_for_one_that_is_missing():
    scores, nothing = np.array([1.0, 2, 4]), np.nan
    found = add_neighbors(scores, np.array([nothing, 1, 2]), np.array([2.0, 4, nothing]), 1.0)
    # 1 + (1 + 2) / 2, 2 + (1 + 4) / 2, 4 + (2 + 4) / 2
    assert found.tolist() == in_stack(scores, 1.0).tolist() == [2.5, 4.5, 7]
    assert in_stack(scores, 0.5).tolist() == [1.75, 3.25, 5.5]
    assert in_stack(scores[:1], 1.0).tolist() == [2.0]
