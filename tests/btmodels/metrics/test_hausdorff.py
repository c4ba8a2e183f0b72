"""Distances between outlines that can be counted on squared paper."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels.metrics.overlap import hausdorff95


def mask(*pixels: tuple, shape=(12, 30)) -> np.ndarray:
    """Mark pixels or, with slices in place of numbers, blocks."""
    made = np.zeros(shape, bool)
    for row, col in pixels:
        made[row, col] = True
    return made


def brute_force(one: np.ndarray, other: np.ndarray) -> float:
    def outline(of: np.ndarray) -> np.ndarray:
        wide = np.pad(of, 1)
        inner = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
        return np.argwhere(of & ~inner)

    a, b = outline(one), outline(other)
    distances = np.linalg.norm(a[:, None] - b[None], axis=-1)
    return max(np.percentile(distances.min(axis=axis), 95) for axis in (0, 1))


def test_two_pixels_by_pythagoras():
    assert hausdorff95(mask((1, 2)), mask((4, 6))) == 5


def test_the_same_outline_is_at_no_distance():
    block = mask((slice(2, 9), slice(3, 9)))
    ring = block & ~mask((slice(3, 8), slice(4, 8)))
    assert hausdorff95(block, block) == 0
    assert hausdorff95(block, ring) == 0, "the inner pixels are no part of an outline"


def test_the_farther_direction_decides():
    # From the long row: 0, 1, ... 10; their 95th percentile lies between 9 and 10. From the pixel: 0.
    row, pixel = mask((5, slice(0, 11))), mask((5, 0))
    assert hausdorff95(row, pixel) == hausdorff95(pixel, row) == pytest.approx(9.5)


@pytest.mark.parametrize(("length", "expected"), [(20, 0), (19, 0.5)])
def test_a_twentieth_of_stray_pixels_does_not_decide(length, expected):
    # One of 21 lies 10 away and is passed over; of 20 the percentile is a twentieth of the way to it.
    truth = mask((0, slice(0, length)))
    assert hausdorff95(truth | mask((10, 0)), truth) == pytest.approx(expected)


def test_the_slices_edge_is_an_outline_too():
    full, center = np.ones((3, 3), bool), mask((1, 1), shape=(3, 3))
    assert hausdorff95(full, center) == pytest.approx(np.sqrt(2))
    assert hausdorff95(mask((0, 0), shape=(1, 7)), mask((0, 6), shape=(1, 7))) == 6


def test_it_is_exact_on_irregular_masks():
    rng = np.random.default_rng(3)
    for _ in range(20):
        one, other = rng.random((2, 40, 50)) < 0.02
        assert hausdorff95(one, other) == pytest.approx(brute_force(one, other), abs=1e-5)


def test_nothing_marked_has_no_distance():
    some, none = mask((1, 1)), mask()
    assert hausdorff95(some, none) is hausdorff95(none, some) is hausdorff95(none, none) is None


def test_two_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        hausdorff95(np.ones((2, 2), bool), np.ones((2, 3), bool))
