"""The rotating head: the packed stack, and its lighting and rotation in the browser."""

from __future__ import annotations

import json

import numpy as np
import pytest

from btmodels.measurement.surface import Mesh
from tests.ui import stacks
from tests.ui.node import run
from ui.surface.rotating_head import FEWEST_SLICES, can_rotate, pack_meshes

# A tetrahedron around the origin of the axes: corner 0, and one along each axis.
CORNERS = np.array([[0, 0, 0], [4, 0, 0], [0, 4, 0], [0, 0, 4]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], np.int32)


def read(data: bytes) -> tuple[dict, dict[str, bytes]]:
    length = int.from_bytes(data[:4], "little")
    head, planes = json.loads(data[4 : 4 + length]), data[4 + length :]
    return head, {name: planes[at : at + size] for name, (at, size) in head["parts"].items()}


def test_surfaces_share_one_middle_and_one_scale():
    head = Mesh(CORNERS + 10, FACES)
    tumor = Mesh(CORNERS / 4 + 11, FACES)
    meta, parts = read(pack_meshes({"head": head, "tumor": tumor}))
    places = np.frombuffer(parts["head.vertices"], "<i2").reshape(-1, 3) / meta["scale"]
    # The middle of the head's box is 12, 12, 12: corner 0 is at -2, -2, -2, the farthest of all but three.
    reach = np.sqrt(12)
    assert np.allclose(places[0], -2 / reach, atol=1e-4)
    assert np.allclose(places[1], np.array([2, -2, -2]) / reach, atol=1e-4)
    inside = np.frombuffer(parts["tumor.vertices"], "<i2").reshape(-1, 3) / meta["scale"]
    assert np.allclose(inside[0], -1 / reach, atol=1e-4)
    assert np.array_equal(np.frombuffer(parts["tumor.triangles"], "<u2").reshape(-1, 3), FACES)


def test_other_surfaces_have_another_version_and_none_are_an_empty_message():
    one, other = (
        read(pack_meshes({"head": Mesh(CORNERS * s, FACES)}))[0] for s in ([1, 1, 1], [2, 1, 1])
    )
    assert one["version"] != other["version"]
    assert read(pack_meshes({}))[1] == {}


@pytest.mark.parametrize(
    ("count", "cols", "fits"),
    [(FEWEST_SLICES, 16, True), (2, 16, False), (FEWEST_SLICES, 20, False)],
)
def test_a_few_slices_or_slices_of_two_sizes_are_no_head(count, cols, fits):
    slices = [stacks.slice_of(number, 16, 16) for number in range(1, count)]
    analyzed = stacks.analyzed([*slices, stacks.slice_of(count, 16, cols)])
    assert can_rotate(analyzed) is fits


def test_normals_point_outward():
    found = run(
        ("surface/geometry.js",),
        "[...normalsOf(given.places, given.faces)]",
        places=CORNERS.ravel().tolist(),
        faces=FACES.ravel().tolist(),
    )
    normals = np.array(found).reshape(-1, 3)
    assert np.allclose(np.linalg.norm(normals, axis=1), 1)
    assert np.allclose(normals[0], -1 / np.sqrt(3))  # the corner of three equal right angles
    assert ((CORNERS - CORNERS.mean(axis=0)) * normals).sum(axis=1).min() > 0


def test_the_head_faces_the_visitor_and_tips_forward():
    matrices = run(
        ("surface/geometry.js",),
        "given.turns.map(([y, p]) => [...rotation(y, p)])",
        turns=[[0, 0], [0.7, 0.3]],
    )
    straight, turned = (np.array(each).reshape(3, 3).T for each in matrices)
    assert np.allclose(straight @ [0, -1, 0], [0, 0, 1])  # the front looks out of the screen
    assert np.allclose(straight @ [0, 0, 1], [0, 1, 0])  # the last slice is up
    assert np.allclose(straight @ [1, 0, 0], [1, 0, 0])  # the picture's right stays right
    assert np.allclose(turned @ turned.T, np.eye(3), atol=1e-6) and np.isclose(
        np.linalg.det(turned), 1
    )
    assert (turned @ [0, 0, 1])[2] > 0
