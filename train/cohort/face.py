"""Anatomy below and in front of the brain: orbits, nose, sinuses, the base of the skull, muscles."""

from __future__ import annotations

import numpy as np

from train.cohort.fields import FieldPoints, ellipsoid, rise, tube
from train.cohort.physics import CODES


def face_depth(points: np.ndarray, waves: np.ndarray) -> np.ndarray:
    """Return the depth of points below the skin of face and neck in mm, negative outside, (n,).

    Args:
        points: Template millimeters, (3, n).
        waves: Values of a noise field there, (n,), which roughen the outline.
    """
    x, y, z = points
    # Narrower toward the chin and at the forehead, where the cranium takes over.
    width = 66 - 10 * rise(z, -45, -95) - 16 * rise(z, -14, 4)
    front = 84 - 16 * rise(z, -18, 4) - 4 * rise(z, -40, -48)
    radius = (np.abs(x) / width) ** 2.6 + (np.abs(y - 4) / np.maximum(front - 4, 20)) ** 2.6
    depth = (1 - radius ** (1 / 2.6)) * 66
    depth = np.where(z > 6, -9.0, depth)
    nose = (1 - ellipsoid(points, (0, 86, -50), (13, 21, 27))) * 14
    brow = (1 - ellipsoid(points, (0, 60, -8), (52, 26, 16))) * 22
    neck = (1 - ellipsoid(points, (0, -45, -90), (64, 62, 50))) * 60
    ears = np.full_like(depth, -9)
    for side in (-1, 1):
        shell = ellipsoid(points, (side * 81, -24, -32), (7, 15, 27))
        ears = np.maximum(ears, np.where(shell > 0.55, (1 - shell) * 9, -3))
    return np.maximum.reduce([depth, nose, brow, neck, ears]) + waves


def fill_face(field: FieldPoints) -> np.ndarray:
    """Return a tissue code for points inside the face, uint8, (n,)."""
    points = field.points
    x, y, z = points
    side = np.abs(x)
    mirrored = np.stack([side, y, z])
    small, large = field.noise("fine"), field.noise("broad")

    codes = np.full(x.shape, CODES["muscle"], np.uint8)
    codes[small + 0.5 * large > 0.7] = CODES["fat"]
    codes[small - 0.4 * large < -1.3] = CODES["bone"]
    # The temporal and masseter muscles on the outside, split by sheets of fat.
    outer = side > 47
    codes[outer] = CODES["muscle"]
    codes[outer & (np.abs(small) < 0.14)] = CODES["fat"]
    base = (side > 22) & (y < 6) & (y > -52) & (z > -62)
    codes[base] = CODES["bone"]
    codes[base & (small > 0.75)] = CODES["mucosa"]
    codes[base & (small + large < -1.5)] = CODES["marrow"]
    clivus = ellipsoid(points, (0, -8, -44), (14, 13, 25)) + 0.08 * large < 1
    codes[clivus] = CODES["marrow"]
    codes[clivus & (small > 1.1)] = CODES["bone"]

    nasal = (ellipsoid(points, (0, 52, -52), (16, 35, 38)) + 0.05 * large < 1) & (z < -16)
    codes[nasal] = CODES["air"]
    shells = np.abs(np.sin((side - 1.5 * large) / 4.3)) < 0.30 + 0.12 * small
    codes[nasal & shells & (y < 76)] = CODES["mucosa"]
    codes[nasal & (np.abs(x + 0.8 * large) < 1.1)] = CODES["mucosa"]
    sphenoid = ellipsoid(mirrored, (7, 14, -32), (7, 11, 9)) + 0.08 * large
    codes[(sphenoid < 1.15) & (z < -18)] = CODES["mucosa"]
    codes[sphenoid < 1] = CODES["air"]
    antrum = ellipsoid(mirrored, (30, 46, -64), (15, 18, 17)) + 0.08 * large
    codes[antrum < 1.14] = CODES["bone"]
    codes[antrum < 1.06] = CODES["mucosa"]
    codes[antrum < 0.95] = CODES["air"]
    frontal = ellipsoid(mirrored, (11, 75, -4), (12, 6, 12)) + 0.12 * large
    codes[frontal < 1.12] = CODES["mucosa"]
    codes[frontal < 1] = CODES["air"]

    # An orbit is a cone of fat that opens to the front and is walled by bone.
    cone = ellipsoid(mirrored, (31, 46, -33), (18.5, 33, 18.5))
    cone = np.maximum(cone, (y - 72) / 3 + 1)
    codes[cone < 1.13] = CODES["bone"]
    codes[cone < 1] = CODES["fat"]
    for rx, rz in ((12.5, 0), (-12.5, 0), (0, 12.5), (0, -12.5)):
        strap = tube(
            mirrored, [(31 + rx, 58, -33 + rz), (30 + 0.9 * rx, 44, -32 + 0.8 * rz), (14, 17, -26)]
        )
        codes[(strap < 2.0) & (cone < 1.02)] = CODES["muscle"]
    nerve = tube(mirrored, [(31, 50, -33), (24, 34, -30), (11, 14, -23)])
    codes[nerve < 2.9] = CODES["fluid"]
    codes[nerve < 1.8] = CODES["white"]
    globe = ellipsoid(mirrored, (32, 60, -33), (12.3, 12.3, 12.3))
    codes[globe < 1.08] = CODES["muscle"]
    codes[globe < 0.96] = CODES["fluid"]
    lens = ellipsoid(mirrored, (32, 69, -33), (4.8, 2.2, 4.8))
    codes[lens < 1] = CODES["muscle"]
    return codes
