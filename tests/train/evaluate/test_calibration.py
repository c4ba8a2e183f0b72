"""Calibration of pixels, on so few of them that each can be followed."""

from __future__ import annotations

import numpy as np
import pytest

from train.evaluate.calibration import calibrate, count_probabilities


def counts(*pixels: tuple[int, int]) -> np.ndarray:
    """Count pixels of one slice, each given as its level and its truth."""
    levels = np.array([[level for level, _ in pixels]], np.uint8)
    return count_probabilities([levels], [np.array([[truth for _, truth in pixels]], bool)])


def test_pixels_are_counted_by_level_and_truth():
    found = counts((7, 0), (7, 1), (7, 1), (255, 1))
    assert found.shape == (2, 256) and found.sum() == 4
    assert (found[0, 7], found[1, 7], found[1, 255]) == (1, 2, 1)
    both = count_probabilities([np.full((2, 2), 9, np.uint8)] * 2, [np.eye(2, dtype=bool)] * 2)
    assert both[:, 9].tolist() == [4, 4]


def test_said_and_true_by_hand():
    # 0.2 said three times, true once; 1 said and true once; the rest is nearly 0.
    one = counts((51, 0), (51, 1), (255, 1), (12, 1))
    other = counts((51, 0), *[(0, 0)] * 6)
    found = calibrate([one, other])
    assert found["edges"] == [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]
    assert found["pixels"] == [7, 0, 3, 0, 0, 0, 0, 0, 0, 1]
    assert found["probability"][0] == pytest.approx(12 / 255 / 7)
    assert found["probability"][2] == pytest.approx(0.2) and found["probability"][9] == 1
    assert found["tumor"][0] == pytest.approx(1 / 7)
    assert found["tumor"][2] == pytest.approx(1 / 3) and found["tumor"][9] == 1
    assert found["probability"][1] is found["tumor"][1] is None
    # Level 12 is below 0.05 and left out: |3 x 0.2 - 1| over the four pixels above.
    assert found["error"] == pytest.approx(0.4 / 4)
    # Of the two patients alone: |0.4 - 1| over 3 pixels, and |0.2 - 0| over 1.
    assert found["error_interval"] == pytest.approx((0.1, 0.2))


def test_without_a_probability_there_is_no_error():
    found = calibrate([counts((0, 0), (12, 1))])
    assert found["error"] is found["error_interval"] is None
    assert found["pixels"][0] == 2
