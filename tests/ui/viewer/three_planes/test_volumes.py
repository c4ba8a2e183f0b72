"""Coronal and sagittal planes: which stacks have them, and how they are cut from axial slices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from btmodels.geometry import VolumeGeometry
from btmodels.slices import Slice, Turn, VolumePosition
from tests.ui.node import decoded, encoded, run
from ui.viewer.three_planes.volumes import ALONE, TURNED, UNEQUAL, UNKNOWN, volumes_of

AFFINE = np.diag([-0.5, -2.0, 3.0, 1.0])
GRID = VolumeGeometry("NIfTI", (4, 3, 9), (2, 1, 0), affine=AFFINE)


def slices_at(*indices: int, volume: str = "v", grid: VolumeGeometry = GRID) -> list[Slice]:
    pixels = np.zeros((3, 4, 3), np.uint8)
    return [
        Slice(f"s{i}", pixels, position=VolumePosition(volume, volume, grid, i)) for i in indices
    ]


def test_each_volume_tells_its_slices_and_their_distances():
    volumes, found = volumes_of([*slices_at(0, 2, 6), *slices_at(1, 2, volume="w")])
    # Of every second slice number 4 is missing; the affine's axes are columns, rows, slices.
    assert volumes[0] == {"slots": [0, 1, None, 2], "spacing": {"slot": 6, "row": 2, "col": 0.5}}
    assert volumes[1] == {"slots": [3, 4], "spacing": {"slot": 3, "row": 2, "col": 0.5}}
    assert found == [(0, "")] * 3 + [(1, "")] * 2


@pytest.mark.parametrize(
    ("slices", "reason"),
    [
        (slices_at(0), ALONE),
        ([replace(each, position=None) for each in slices_at(0, 1)], UNKNOWN),
        (slices_at(0, 1, grid=replace(GRID, affine=None)), UNKNOWN),
        ([replace(each, turn=Turn(1)) for each in slices_at(0, 1)], TURNED),
        ([slices_at(0)[0], replace(slices_at(1)[0], pixels=np.zeros((9, 9, 3)))], UNEQUAL),
    ],
)
def test_what_lies_nowhere_has_one_plane_and_a_reason(slices, reason):
    assert volumes_of(slices) == ([], [(None, reason)] * len(slices))


def test_planes_are_cut_as_numpy_cuts_them():
    volume = np.random.default_rng(1).integers(0, 255, (5, 3, 4), np.uint8)
    mask = volume > 128
    given = [[encoded(each), encoded(marked)] for each, marked in zip(volume, mask, strict=True)]
    given[1] = None  # a slice that is missing is black
    volume[1], mask[1] = 0, False
    for plane, at, cut in (
        ("coronal", 2, lambda values: values[::-1, 2, :]),
        ("sagittal", 3, lambda values: values[::-1, :, 3]),
    ):
        rows, cols, channel, marked, truth = run(
            ("viewer/three_planes/volume.js",),
            """(() => {
                const slots = given.slices.map((each) => each && {
                    channels: [0, 1, 2].map(() => bytes(each[0])), probabilityMap: bytes(each[0]),
                    truth: null, head: null,
                });
                const masks = given.slices.map((each) => each && bytes(each[1]));
                const cut = planeOf(slots, masks, given.plane, given.at, { row: 3, col: 4 });
                return [cut.rows, cut.cols, text(cut.channels[1]), text(cut.mask), cut.truth];
            })()""",
            slices=given,
            plane=plane,
            at=at,
        )
        expected = cut(volume)
        assert (rows, cols, truth) == (*expected.shape, None)
        assert np.array_equal(decoded(channel, expected.shape), expected)
        assert np.array_equal(decoded(marked, expected.shape), cut(mask))


def test_what_is_pointed_at_is_where_the_planes_meet():
    place, sizes = {"slot": 1, "row": 2, "col": 3}, {"slot": 4, "row": 10, "col": 20}
    for plane in ("axial", "coronal", "sagittal"):
        there = run(
            ("viewer/three_planes/volume.js",),
            "pointAt({ slot: 1, row: 2, col: 3, }, given.plane, ...shareOf(given.place, given.plane, "
            "given.sizes), given.sizes)",
            plane=plane,
            place=place,
            sizes=sizes,
        )
        assert there == place
    corners, steps, near = run(
        ("viewer/three_planes/volume.js",),
        """[
            [["axial", 0, 1], ["coronal", 1, 0], ["sagittal", 2, 2]].map(
                ([plane, x, y]) => pointAt(given.place, plane, x, y, given.sizes)),
            ["axial", "coronal", "sagittal"].map(
                (plane) => step(given.place, plane, [1, 1, -9], given.sizes)),
            [nearest([5, null, null, 7], 1), nearest([5, null, null, 7], 2)],
        ]""",
        place=place,
        sizes=sizes,
    )
    assert corners == [
        {"slot": 1, "row": 9, "col": 0},
        {"slot": 3, "row": 2, "col": 19},  # the top is the head, the last slot
        {"slot": 0, "row": 9, "col": 3},  # beyond the edge is the edge
    ]
    assert steps == [
        {"slot": 0, "row": 3, "col": 4},
        {"slot": 0, "row": 0, "col": 4},
        {"slot": 0, "row": 3, "col": 0},
    ]
    assert near == [5, 7]


def test_planes_have_the_proportions_of_millimeters():
    shown = run(
        ("viewer/three_planes/volume.js",),
        """["coronal", "sagittal"].map((plane) => extent(plane, { slot: 10, row: 100, col: 200 },
            { slot: 6, row: 0.5, col: 0.25 }))""",
    )
    assert shown[0] == {"cols": 200, "rows": 10, "width": 50, "height": 60}
    assert shown[1] == {"cols": 100, "rows": 10, "width": 50, "height": 60}


def test_the_crosshair_begins_in_the_middle_of_what_is_marked():
    found = run(
        ("viewer/three_planes/volume.js",),
        """[middle(new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1]), 3, 4), middle(null, 3, 4)]""",
    )
    # Pixels (1, 3), (2, 0) and (2, 3): rows on average 1.67, columns 2.
    assert found == [{"row": 2, "col": 2}, {"row": 1, "col": 2}]
