"""The shape of a tumor, against shapes whose figures are known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from btmodels.dataset import cohort
from btmodels.measurement import shape, surface
from btmodels.measurement.shape import ShapeFigures, describe
from btmodels.slices import FLAIR

BOX = 2 / (math.pi * math.sqrt(3))
"""Of a box: its smallest ellipsoid is the ball around a cube, stretched with the cube."""

CYLINDER = 1 / math.sqrt(3)
"""Of a cylinder on an ellipse: its smallest ellipsoid is sqrt(3) times as large."""


def polar(size: int) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.mgrid[:size, :size] - size // 2
    return np.hypot(rows, cols), np.arctan2(rows, cols)


def disk(radius: int, size: int = 101) -> np.ndarray:
    return polar(size)[0] <= radius


def ellipse(down: float, across: float, size: int = 201) -> np.ndarray:
    rows, cols = np.mgrid[:size, :size] - size // 2
    return (rows / down) ** 2 + (cols / across) ** 2 <= 1


def wavy(radius: float, height: float, waves: int, size: int = 201) -> np.ndarray:
    distance, angle = polar(size)
    return distance <= radius * (1 + height * np.cos(waves * angle))


def of_slice(mask: np.ndarray) -> ShapeFigures:
    return describe(mask[None])


def a_head(slices: int = 1) -> np.ndarray:
    """Heads of 20 rows and 40 columns, in rows 10 to 29 and columns 5 to 44."""
    pixels = np.zeros((slices, 40, 50, 3), np.uint8)
    pixels[:, 10:30, 5:45] = 120
    return pixels


# --- size and parts


def test_an_empty_mask_has_no_shape():
    empty = np.zeros((3, 40, 50), bool)
    figures = describe(empty, a_head(3))
    assert figures == ShapeFigures(volume_voxels=0, marked_slices=0)
    assert [row.value for row in figures.rows().values()] == ["0"] * 5 + ["–"] * 8


def test_one_pixel():
    mask = np.zeros((2, 40, 50), bool)
    mask[1, 20, 30] = True
    figures = describe(mask, a_head(2))
    assert (figures.volume_voxels, figures.largest_area_pixels, figures.marked_slices) == (1, 1, 1)
    assert (figures.parts, figures.parts_in_slice, figures.largest_slice) == (1, 1, 1)
    assert figures.ellipsoid_ratio == pytest.approx(BOX, rel=0.002)  # a pixel is a box
    assert figures.margin_fluctuation is None and figures.angular_deviation is None
    assert (figures.flair_variation, figures.flair_entropy) == (0, 0)
    assert figures.rows()["Volume"].unit == "voxel"


def test_parts_touch_at_corners_in_a_slice_and_across_slices():
    masks = np.zeros((3, 8, 8), bool)
    masks[0, 0, 0] = masks[0, 1, 1] = True  # a corner within the slice
    masks[1, 2, 2] = True  # a corner of a voxel in the slice above
    assert describe(masks).parts == 1 and describe(masks).parts_in_slice == 1
    masks[0, 5, 5] = True
    assert describe(masks).parts == 2 and describe(masks).parts_in_slice == 2
    assert describe(masks).volume_voxels == 4 and describe(masks).largest_area_pixels == 3
    assert describe(masks).largest_slice == 0


def test_parts_of_a_slice_may_join_in_the_next():
    masks = np.zeros((2, 5, 9), bool)
    masks[0, 2, [1, 2, 6, 7]] = True
    masks[1, 2, 3:6] = True
    assert describe(masks).parts_in_slice == 2 and describe(masks).parts == 1


# --- the figures of Buda, Saha, Mazurowski


def test_a_disk_has_a_smooth_round_outline():
    figures = [of_slice(disk(radius, 2 * radius + 11)) for radius in (10, 20, 40, 80)]
    for radius, each in zip((10, 20, 40, 80), figures, strict=True):
        # What is left is the staircase of the pixels, less than half a pixel high.
        assert 0 < each.margin_fluctuation < 0.5 / radius
        assert 0 < each.angular_deviation < 0.5 / radius
    assert figures[-1].margin_fluctuation < 0.005


def test_an_ellipse_is_smooth_but_not_round():
    figures = of_slice(ellipse(80, 40))
    assert figures.margin_fluctuation < 0.02
    # By the same formula on the ellipse itself, 100,000 points spread evenly along it.
    turn = np.linspace(0, 2 * np.pi, 1_000_001)[:-1]
    x, y = 40 * np.cos(turn), 80 * np.sin(turn)
    way = np.cumsum(np.hypot(np.diff(x, append=x[:1]), np.diff(y, append=y[:1])))
    even = np.searchsorted(way, np.linspace(0, way[-1], 100_000, endpoint=False))
    exact = shape.angular_deviation(np.hypot(x[even], y[even]), np.arctan2(y[even], x[even]))
    assert figures.angular_deviation == pytest.approx(exact, rel=0.1)
    assert figures.angular_deviation > 5 * of_slice(disk(60, 201)).angular_deviation


def test_fast_waves_are_fluctuation_at_their_own_height():
    # Of a cosine of height h the standard deviation is h / sqrt(2); the filter spans whole waves.
    figures = [of_slice(wavy(70, height, 20)) for height in (0.05, 0.1)]
    assert figures[0].margin_fluctuation == pytest.approx(0.05 / math.sqrt(2), rel=0.12)
    assert figures[1].margin_fluctuation == pytest.approx(0.10 / math.sqrt(2), rel=0.12)


def test_slow_waves_are_deviation_more_than_fluctuation():
    figures = of_slice(wavy(70, 0.1, 3))
    assert figures.angular_deviation > 2 * figures.margin_fluctuation


def test_size_and_place_do_not_matter_to_the_outline():
    small, large = of_slice(ellipse(40, 20)), of_slice(ellipse(80, 40))
    assert small.angular_deviation == pytest.approx(large.angular_deviation, rel=0.05)
    moved = np.roll(ellipse(40, 20), (55, -70), axis=(0, 1))
    assert of_slice(moved).angular_deviation == pytest.approx(small.angular_deviation)
    assert of_slice(moved).margin_fluctuation == pytest.approx(small.margin_fluctuation)


def test_fluctuation_by_hand():
    # 40 pixels, so the filter is 5 long: a spike of 10 among ones, mean 49 / 40.
    distances = np.ones(40)
    distances[0] = 10  # at the seam, where the filter must run around
    left = np.zeros(40)
    left[[38, 39, 1, 2]], left[0] = -9 / 5, 9 - 9 / 5
    assert shape.margin_fluctuation(distances) == pytest.approx(np.std(left) / (49 / 40))


def test_deviation_by_hand():
    # In half of the angles all are 1, in the other half 0.5 and 1.5 by turns: 0 and 0.5.
    angles = np.repeat((np.arange(10) + 0.5) * np.pi / 5 - np.pi, 4)
    distances = np.where(np.arange(40) < 20, 1, np.tile([0.5, 1.5], 20))
    assert shape.angular_deviation(distances, angles) == pytest.approx(0.25)


@pytest.mark.parametrize("angle", [-math.pi, math.pi, 0.0, -1e-17])
def test_the_ends_of_a_turn_fall_into_a_bin(angle):
    angles = np.full(shape.LEAST_OUTLINE, angle)
    assert shape.angular_deviation(np.ones(len(angles)), angles) == 0


def test_a_coarse_outline_has_no_figures():
    assert of_slice(disk(3)).margin_fluctuation is None
    assert of_slice(disk(3)).angular_deviation is None
    assert of_slice(disk(7)).margin_fluctuation is not None


def test_a_box_in_its_ellipsoid():
    masks = np.zeros((6, 20, 20), bool)
    masks[1:4, 3:10, 4:17] = True
    assert describe(masks).ellipsoid_ratio == pytest.approx(BOX, rel=0.002)
    assert describe(masks).ellipsoid_ratio <= BOX * (1 + 1e-9)


def test_a_disk_of_one_slice_is_a_cylinder():
    assert of_slice(disk(90, 201)).ellipsoid_ratio == pytest.approx(CYLINDER, rel=0.02)
    assert of_slice(ellipse(90, 45)).ellipsoid_ratio == pytest.approx(CYLINDER, rel=0.03)


def test_a_ball_fills_its_ellipsoid_and_so_does_an_ellipsoid():
    z, y, x = np.mgrid[-30:31, -30:31, -30:31]
    ball = shape.ellipsoid_ratio(x**2 + y**2 + z**2 <= 29**2)
    longish = shape.ellipsoid_ratio((x / 29) ** 2 + (y / 20) ** 2 + (z / 24) ** 2 <= 1)
    assert 0.9 < ball < 1 and 0.87 < longish < 1
    # Around half of an n-ball the smallest ellipsoid has n/(n+1) * (n^2/(n^2-1))^((n-1)/2) of the ball.
    half = shape.ellipsoid_ratio((x**2 + y**2 + z**2 <= 29**2) & (z >= 0))
    assert half == pytest.approx(0.5 / (3 / 4 * 9 / 8), rel=0.08)


def test_the_distance_of_slices_does_not_matter_to_the_ellipsoid():
    z, y, x = np.mgrid[-9:10, -20:21, -20:21]
    lump = (x / 19) ** 2 + (y / 9) ** 2 + (z / 8) ** 2 <= 1 - 0.4 * (x > 3)
    each = shape.ellipsoid_ratio(lump)
    assert shape.ellipsoid_ratio(np.repeat(lump, 5, axis=0)) == pytest.approx(each, rel=0.002)


def test_only_the_largest_part_shapes_the_figures():
    masks = np.zeros((3, 101, 101), bool)
    masks[1] = disk(20)
    alone = describe(masks)
    masks[0, :4, :4] = True
    masks[1, 0, 90] = True
    both = describe(masks)
    assert both.parts == 3 and both.volume_voxels == alone.volume_voxels + 17
    assert both.ellipsoid_ratio == alone.ellipsoid_ratio
    assert both.margin_fluctuation == alone.margin_fluctuation
    assert both.angular_deviation == alone.angular_deviation


def test_a_hole_is_not_outline():
    ring = disk(30) & ~disk(10)
    assert of_slice(ring).margin_fluctuation == of_slice(disk(30)).margin_fluctuation


def test_a_mask_at_the_border_is_measured_where_it_is_cut():
    figures = of_slice(disk(30)[:, 50:])  # the right half, flat side at the picture's edge
    assert figures.parts == 1 and figures.largest_area_pixels == disk(30)[:, 50:].sum()
    assert 0 < figures.ellipsoid_ratio < 1
    assert figures.angular_deviation > of_slice(disk(30)).angular_deviation


def test_all_of_the_picture():
    figures = describe(np.ones((2, 30, 40), bool))
    assert figures.volume_voxels == 2400 and figures.parts == 1
    assert figures.ellipsoid_ratio == pytest.approx(BOX, rel=0.002)


# --- place


def test_the_picture_s_right_is_the_patient_s_left():
    masks = np.zeros((1, 40, 50), bool)
    masks[0, 10:15, 40:45] = True  # top and right of the head's box
    where = describe(masks, a_head()).position
    assert (where.side, where.side_share) == ("left", 1)
    assert where.from_front == pytest.approx(2.5 / 20)
    assert where.from_right == pytest.approx(37.5 / 40)
    mirrored = describe(masks[..., ::-1], a_head()[:, :, ::-1]).position
    assert (mirrored.side, mirrored.from_right) == ("right", pytest.approx(2.5 / 40))


def test_shares_of_the_sides():
    masks = np.zeros((1, 40, 50), bool)
    masks[0, 20, 22:25] = masks[0, 20, 25] = True  # the head's middle is between columns 24 and 25
    where = describe(masks, a_head()).position
    assert (where.side, where.side_share) == ("right", 0.75)
    masks[0, 20, 26:28] = True
    assert describe(masks, a_head()).position.side == "both"
    assert describe(masks, a_head()).rows()["Side"].value == "half on either side"


def test_a_pixel_on_the_midline_is_half_on_either_side():
    heads = np.zeros((1, 5, 5), bool)
    heads[0, :, 1:4] = True
    masks = np.zeros((1, 5, 5), bool)
    masks[0, 2, 2:4] = True
    where = shape.position(masks, heads)
    assert (where.side, where.side_share) == ("left", 0.75)


def test_the_head_is_that_of_all_slices():
    pixels = a_head(2)
    pixels[1, :, :25] = 0  # the second slice shows half of the head
    masks = np.zeros((2, 40, 50), bool)
    masks[1, 20, 30] = True
    assert describe(masks, pixels).position.from_right == pytest.approx(25.5 / 40)


def test_no_head_no_place():
    masks = np.ones((1, 40, 50), bool)
    assert describe(masks, np.zeros((1, 40, 50, 3), np.uint8)).position is None
    assert describe(masks).position is None


@pytest.mark.slow
def test_the_synthetic_patients_lie_where_their_table_says():
    said = cohort.read_patient_data(cohort.samples_root())
    sides = {"1": "left", "3": "right"}
    seen = []
    for patient in cohort.read_cohort(cohort.samples_root())[:3]:
        slices = [cohort.read_slice(patient, file) for file in patient.files]
        pixels = np.stack([each.pixels for each in slices])
        figures = describe(surface.stack_masks([each.truth for each in slices]), pixels)
        code = said.get(patient.folder[: cohort.PATIENT_KEY], {}).get("laterality")
        seen.append(None if figures.position is None else figures.position.side)
        assert seen[-1] == sides.get(code)
    assert {"left", "right", None} <= set(seen)  # one of them has no tumor


# --- heterogeneity


def test_even_gray_varies_by_nothing():
    mask = np.ones((1, 4, 4), bool)
    pixels = np.full((1, 4, 4, 3), 200, np.uint8)
    figures = describe(mask, pixels)
    assert (figures.flair_variation, figures.flair_entropy) == (0, 0)
    assert figures.rows()["Variation of FLAIR"].value == "0"


def test_two_grays_in_equal_shares():
    pixels = np.zeros((1, 4, 4, 3), np.uint8)
    pixels[0, :2, :, FLAIR], pixels[0, 2:, :, FLAIR] = 50, 150
    pixels[..., 0] = 77  # other channels do not matter
    figures = describe(np.ones((1, 4, 4), bool), pixels)
    assert figures.flair_variation == pytest.approx(0.5)  # 100 plus or minus 50
    assert figures.flair_entropy == pytest.approx(1)
    half = np.zeros((1, 4, 4), bool)
    half[0, :2] = True
    assert describe(half, pixels).flair_entropy == 0  # only what is marked counts


def test_entropy_of_all_levels_is_five_bits():
    assert shape.entropy(np.arange(256, dtype=np.uint8)) == pytest.approx(5)
    assert shape.entropy(np.array([0, 7], np.uint8)) == 0  # one bin
    assert shape.entropy(np.array([7, 8], np.uint8)) == pytest.approx(1)  # two
    assert shape.entropy(np.empty(0, np.uint8)) is None


def test_black_has_no_variation():
    assert shape.variation(np.zeros(5, np.uint8)) is None
    assert shape.variation(np.empty(0)) is None


# --- as a table, and wrong input


def test_every_figure_is_a_row_with_words():
    masks = np.stack([disk(20), disk(15)])
    rows, others = describe(masks).rows(), describe(masks & False).rows()
    assert list(rows) == list(others)
    assert all(row.explanation.endswith(".") for row in rows.values())
    assert (rows["Volume"].value, rows["Volume"].unit) == (f"{masks.sum():,}", "voxels")
    assert (rows["Parts"].value, rows["Parts"].unit) == ("1", "part")
    assert rows["Side"].value == "–"


@pytest.mark.parametrize(
    ("masks", "others"),
    [
        ((40, 50), {}),
        ((1, 40, 50), {"pixels": np.zeros((1, 40, 50), np.uint8)}),
        ((2, 40, 50), {"pixels": np.zeros((1, 40, 50, 3), np.uint8)}),
        ((2, 40, 50), {"heads": np.zeros((1, 40, 50), bool)}),
    ],
)
def test_arrays_that_do_not_fit_are_refused(masks, others):
    with pytest.raises(ValueError, match="Received"):
        describe(np.zeros(masks, bool), **others)
