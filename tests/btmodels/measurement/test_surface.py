"""Surfaces around masks: where they lie, what they enclose, how light they are."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy import ndimage

from btmodels.measurement.surface import (
    HEAD_SMOOTHING,
    HEAD_TRIANGLES,
    TUMOR_TRIANGLES,
    Mesh,
    head_volume,
    proportions_of,
    stack_masks,
    surface,
)

ONE = (1.0, 1.0, 1.0)
SHARP = (0.01, 0.01)


def ball(radius: float, size: int) -> np.ndarray:
    z, y, x = np.mgrid[:size, :size, :size] - (size - 1) / 2
    return x**2 + y**2 + z**2 <= radius**2


def enclosed(mesh: Mesh) -> float:
    """Volume within a closed surface; negative where its triangles face inward."""
    corners = mesh.vertices[mesh.triangles].astype(float)
    return np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6


def pieces(mesh: Mesh) -> int:
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = mesh.triangles[:, [0, 1, 1, 2]].reshape(-1, 2).T
    count = len(mesh.vertices)
    links = coo_matrix((np.ones(ends.shape[1]), ends), (count, count))
    return connected_components(links, directed=False)[0]


def is_closed(mesh: Mesh) -> bool:
    edges = np.sort(mesh.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    return set(Counter(map(tuple, edges.tolist())).values()) == {2}


def test_masks_are_stacked_and_missing_ones_are_empty():
    mask = np.array([[True, False, True]])
    stacked = stack_masks([None, mask, None])
    assert stacked.shape == (3, 1, 3) and stacked.dtype == bool
    assert stacked.sum() == 2 and stacked[1].tolist() == mask.tolist()


@pytest.mark.parametrize(
    "masks", [[], [None, None], [np.zeros((2, 3), bool), None, np.zeros((3, 2), bool)]]
)
def test_a_stack_of_nothing_or_of_two_sizes_is_refused(masks):
    with pytest.raises(ValueError, match="one size"):
        stack_masks(masks)


def test_a_surface_lies_where_the_voxels_lie():
    mask = np.zeros((9, 30, 40), bool)
    mask[2:7, 5:25, 8:20] = True  # slices, rows, columns
    mesh = surface(mask, (2.0, 1.0, 0.5), smoothing=SHARP)
    # x from the columns, y from the rows, z from the slices, each times its step.
    assert mesh.vertices.min(axis=0) == pytest.approx([8 * 0.5, 5, 2 * 2])
    assert mesh.vertices.max(axis=0) == pytest.approx([20 * 0.5, 25, 7 * 2])
    assert enclosed(mesh) == pytest.approx(mask.sum() * 2 * 0.5, rel=0.03)
    assert is_closed(mesh)
    assert (mesh.vertices.dtype, mesh.triangles.dtype) == (np.float32, np.int32)


def test_a_smoothed_ball_keeps_its_volume_and_faces_outward():
    mask = ball(12, 31)
    mesh = surface(mask, ONE)
    assert enclosed(mesh) == pytest.approx(mask.sum(), rel=0.03)
    away = np.linalg.norm(mesh.vertices - 15.5, axis=1)
    assert away.min() > 11 and away.max() < 13.5
    assert is_closed(mesh) and pieces(mesh) == 1


def test_smoothing_takes_the_stairs_away():
    rough, smooth = surface(ball(12, 31), ONE, smoothing=SHARP), surface(ball(12, 31), ONE)
    spread = [np.std(np.linalg.norm(mesh.vertices - 15.5, axis=1)) for mesh in (rough, smooth)]
    assert spread[1] < 0.6 * spread[0]


@pytest.mark.parametrize("most", [20_000, 2_000, 300])
def test_a_surface_is_as_light_as_asked(most):
    mask = ball(28, 61)
    mesh = surface(mask, ONE, most)
    assert len(mesh.triangles) <= most
    assert enclosed(mesh) == pytest.approx(mask.sum(), rel=0.15)
    assert is_closed(mesh)


def test_a_thinned_surface_stays_in_place():
    mask = np.zeros((20, 90, 90), bool)
    mask[4:16, 13:64, 20:71] = True
    mesh = surface(mask, (3.0, 1.0, 1.0), 600, SHARP)
    assert len(mesh.triangles) <= 600
    assert mesh.vertices.min(axis=0) == pytest.approx([20, 13, 12], abs=5)
    assert mesh.vertices.max(axis=0) == pytest.approx([71, 64, 48], abs=5)


def test_the_smallest_parts_are_drawn_too():
    mask = np.zeros((7, 60, 60), bool)
    mask[2:5, 5:30, 5:30] = True
    mask[5, 50, 50] = True  # one voxel, which the filter alone would wipe out
    mesh = surface(mask, (4.0, 1.0, 1.0))
    assert pieces(mesh) == 2
    assert np.abs(mesh.vertices - [50.5, 50.5, 22]).max(axis=1).min() < 4
    assert pieces(surface(mask[5:6], ONE)) == 1


def test_a_thinned_surface_keeps_small_parts():
    mask = np.zeros((30, 128, 128), bool)
    mask[5:25, 10:80, 10:80] = True
    mask[10, 120, 120] = True
    mesh = surface(mask, (4.0, 1.0, 1.0), 2_000)
    assert len(mesh.triangles) <= 2_000 and pieces(mesh) == 2


def test_a_mask_at_the_border_of_the_stack_is_closed():
    mesh = surface(np.ones((3, 10, 12), bool), ONE, smoothing=SHARP)
    assert is_closed(mesh)
    assert mesh.vertices.min(axis=0) == pytest.approx([0, 0, 0])
    assert mesh.vertices.max(axis=0) == pytest.approx([12, 10, 3])


def test_nothing_marked_no_surface():
    assert surface(np.zeros((3, 10, 10), bool), ONE) is None


def test_a_patient_of_60_slices_stays_light():
    z, y, x = np.mgrid[:60, :256, :256]
    form = ((z - 30) / 29) ** 2 + ((y - 128) / 110) ** 2 + ((x - 128) / 80) ** 2
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(60, 64, 64)), 2)
    ragged = np.repeat(np.repeat(noise, 4, axis=1), 4, axis=2) > 0.02
    head, tumor = form <= 1, (form <= 0.25) & ragged
    steps = proportions_of(head.shape, head).steps
    around = surface(head, steps, HEAD_TRIANGLES, HEAD_SMOOTHING)
    total = len(around.triangles) + 2 * len(surface(tumor, steps).triangles)
    assert total <= HEAD_TRIANGLES + 2 * TUMOR_TRIANGLES < 60_000


# --- proportions


def test_true_proportions_where_the_spacing_is_known():
    measure = proportions_of((20, 256, 256), spacing=(5.0, 0.9, 0.8))
    assert (measure.steps, measure.unit) == ((5.0, 0.9, 0.8), "mm")
    assert measure.captions == ("Proportions are true: the files give the spacing.",)


def test_without_spacing_the_stack_is_as_tall_as_the_head_is_wide_and_says_so():
    heads = np.zeros((20, 256, 256), bool)
    heads[3, 10:200, 60:160] = True
    heads[4, 10:200, 160:220] = True  # wide over all slices together
    measure = proportions_of(heads.shape, heads)
    assert (measure.steps, measure.unit) == ((8.0, 1.0, 1.0), "pixels")
    assert "along the stack are unknown" in measure.captions[0]
    assert "head is wide, 8.0 pixels from slice to slice" in measure.captions[0]
    assert "no millimeters" in measure.captions[1]


@pytest.mark.parametrize("heads", [None, np.zeros((16, 256, 128), bool)])
def test_without_a_head_the_picture_counts(heads):
    measure = proportions_of((16, 256, 128), heads)
    assert measure.steps == (8.0, 1.0, 1.0) and "picture is wide" in measure.captions[0]


def test_the_spacing_within_a_slice_alone():
    heads = np.ones((10, 100, 100), bool)
    measure = proportions_of(heads.shape, heads, (0.5, 0.4))
    assert measure.steps == pytest.approx((4.0, 0.5, 0.4)) and measure.unit == "mm"
    assert "4.0 mm from slice to slice" in measure.captions[0]
    assert measure.captions[1].startswith("Within a slice, proportions are true")


@pytest.mark.parametrize(
    "spacing", [(), (1.0,), (1.0, 1.0, 1.0, 1.0), (0.0, 1.0), (1.0, -1.0, 1.0), (1.0, float("nan"))]
)
def test_a_spacing_that_is_none_is_refused(spacing):
    with pytest.raises(ValueError, match="positive"):
        proportions_of((10, 20, 20), spacing=spacing)


# --- the head


def test_the_head_is_drawn_without_its_hollows():
    pixels = np.zeros((1, 40, 40, 3), np.uint8)
    pixels[0, 5:35, 5:35] = 120
    pixels[0, 15:25, 5:20] = 0  # a bay
    expected = np.zeros((40, 40), bool)
    expected[5:35, 5:35] = True
    np.testing.assert_array_equal(head_volume(pixels)[0], expected)


def test_a_slice_where_fat_outshines_the_brain_keeps_its_head():
    pixels = np.zeros((3, 64, 64, 3), np.uint8)
    pixels[:, 10:50, 12:52] = 60
    pixels[1, 20:30, 20:30] = 250  # above Otsu's threshold of this slice: only the fat
    heads = head_volume(pixels)
    assert heads.sum(axis=(1, 2)).tolist() == [1600] * 3


def test_a_slice_of_noise_has_no_head():
    pixels = np.zeros((3, 64, 64, 3), np.uint8)
    pixels[:2, 10:50, 12:52] = 120
    pixels[2] = np.random.default_rng(0).integers(0, 20, (64, 64, 1))
    assert head_volume(pixels).any(axis=(1, 2)).tolist() == [True, True, False]
    assert not head_volume(np.zeros((2, 30, 30, 3), np.uint8)).any()
