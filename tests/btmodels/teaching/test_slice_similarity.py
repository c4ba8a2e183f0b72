"""Similarity of slices, calculated manually and as the experiment measures it."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.teaching import slice_similarity


@pytest.fixture
def slices() -> list[np.ndarray]:
    generator = np.random.default_rng(4)
    return [generator.integers(20, 255, (96, 80, 3), np.uint8) for _ in range(5)]


def test_a_slice_is_nearest_to_itself_and_distance_has_no_direction(slices):
    points = slice_similarity.vectors([*slices, slices[2]], 32)
    apart = slice_similarity.distances(points, points)
    assert apart.shape == (6, 6) and (np.diag(apart) == 0).all()
    assert apart == pytest.approx(apart.T, abs=1e-3)
    assert apart[2, 5] == pytest.approx(0, abs=2e-3)
    assert (apart[0, 1:] > 0.1).all()


def test_distance_is_the_root_of_the_mean_squared_difference():
    points = np.array([[0, 0, 0, 0], [2, 0, 0, 0], [3, 3, 3, 3]], np.float32)
    apart = slice_similarity.distances(points, points)
    assert apart[0].tolist() == [0, 1, 3]
