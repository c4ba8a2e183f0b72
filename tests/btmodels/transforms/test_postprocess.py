"""Parts of a stack of masks, small enough to count."""

from __future__ import annotations

import numpy as np

from btmodels.transforms.postprocess import LEAST_SHARE, RULE, drop_small_parts, outline, sigmoid


def stack(num_slices: int = 4, shape=(12, 12)) -> list[np.ndarray]:
    """Empty masks but for a block of 4 x 5 pixels in the first."""
    masks = [np.zeros(shape, bool) for _ in range(num_slices)]
    masks[0][:4, :5] = True
    return masks


def test_a_tenth_of_the_largest_part_stays_and_less_goes():
    masks = stack()
    masks[2][8, 8:10] = True
    masks[3][11, 0] = True
    kept = drop_small_parts(masks)
    assert LEAST_SHARE == 0.1 and "10%" in RULE
    assert [int(mask.sum()) for mask in kept] == [20, 0, 2, 0]
    assert masks[3].sum() == 1, "the masks that came in stay as they were"


def test_what_touches_from_slice_to_slice_even_by_a_corner_is_one_part():
    masks = stack()
    masks[1][8, 8] = masks[2][9, 9] = True
    assert [int(mask.sum()) for mask in drop_small_parts(masks)] == [20, 1, 1, 0]
    masks[2][9, 9], masks[3][9, 9] = False, True  # a slice lies between
    assert [int(mask.sum()) for mask in drop_small_parts(masks)] == [20, 0, 0, 0]


def test_both_parts_of_a_tumor_stay():
    masks = stack()
    masks[2][7:10, 7:10] = True
    assert [int(mask.sum()) for mask in drop_small_parts(masks)] == [20, 0, 9, 0]


def test_where_nothing_is_marked_nothing_is_kept():
    assert drop_small_parts([]) == []
    empty = np.zeros((3, 4), bool)
    kept = drop_small_parts([empty, empty])
    assert [mask.shape for mask in kept] == [(3, 4)] * 2 and not np.any(kept)
    full = drop_small_parts([~empty])
    assert full[0].all() and full[0].dtype == bool


def test_slices_of_several_sizes_keep_their_own():
    masks = [*stack(1), np.zeros((3, 20), bool)]
    masks[1][2, 19] = True
    kept = drop_small_parts(masks)
    assert [mask.shape for mask in kept] == [(12, 12), (3, 20)]
    assert [int(mask.sum()) for mask in kept] == [20, 0]


def test_sigmoid_is_stable():
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]
    assert sigmoid(np.float32([-100])).dtype == np.float32


def test_outline_is_the_inner_border():
    mask = np.zeros((12, 16), bool)
    mask[2:9, 3:12] = True
    inner = np.zeros_like(mask)
    inner[3:8, 4:11] = True
    np.testing.assert_array_equal(outline(mask), mask & ~inner)
    assert outline(np.ones((3, 3), bool)).sum() == 8  # the edge of the picture is a border too
    assert not outline(np.zeros((3, 3), bool)).any()
