"""The template brain, as fields: MNI ICBM152 (2009a, symmetric), as shipped in the nilearn wheel.

The maps are averages over 152 people, so their cortex is blurred. This module keeps smooth fields
from which a sharp, individual brain can be cut: white matter, the distance to it, the ventricles, and the
surface that the skull encloses.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import nibabel
import numpy as np
from scipy import ndimage

from train.cohort.fields import Grid

NATIVE_ORIGIN = (-98.0, -134.0, -72.0)
"""Position of the first voxel of nilearn's 1 mm maps, in millimeters."""

_WIDE_ORIGIN, _WIDE_SHAPE, _WIDE_STEP = (-120.0, -160.0, -110.0), (121, 146, 121), 2.0
_CLOSING = 14.0


@dataclass(frozen=True, eq=False)
class Template:
    """Fields of the template brain in its own millimeters (x right, y front, z up).

    Attributes:
        t1: Brightness of the T1-weighted average, 0 to 1, 0 outside the brain.
        white, gray: Probability of the tissue, 0 to 1.
        from_white: Distance from white matter in mm.
        ridge: Excess of the distance from white matter over its surroundings, in mm; marks the floor of a
            sulcus.
        sulci: Deficit of T1 brightness relative to the surroundings.
        from_ventricle: Signed distance from the ventricular wall in mm, negative inside.
        from_brain: Signed distance from the brain's surface in mm, negative inside.
        from_hull: Signed distance from the brain with its fissures closed, which the skull encloses, in mm.
    """

    t1: Grid
    white: Grid
    gray: Grid
    from_white: Grid
    ridge: Grid
    sulci: Grid
    from_ventricle: Grid
    from_brain: Grid
    from_hull: Grid


def _load(kind: str) -> np.ndarray:
    name = f"mni_icbm152_{kind}_tal_nlin_sym_09a_converted.nii.gz"
    data = files("nilearn.datasets").joinpath("data", name).read_bytes()
    image = nibabel.Nifti1Image.from_bytes(gzip.decompress(data))
    if not np.array_equal(image.affine[:3, 3], NATIVE_ORIGIN):
        raise ValueError(
            f"{name} must begin at {NATIVE_ORIGIN} mm. Received: {tuple(image.affine[:3, 3])}"
        )
    values = np.asarray(image.dataobj, np.float32)
    return values / values.max()


def _signed_distance(inside: np.ndarray, step: float) -> np.ndarray:
    outward = ndimage.distance_transform_edt(~inside, sampling=step)
    inward = ndimage.distance_transform_edt(inside, sampling=step)
    return (outward - inward).astype(np.float32)


def _ventricles(t1: np.ndarray, white: np.ndarray, gray: np.ndarray) -> np.ndarray:
    x, y, z = np.ogrid[
        tuple(slice(o, o + n) for o, n in zip((-98, -134, -72), t1.shape, strict=True))
    ]
    fluid = (t1 > 0) & (white + gray < 0.5)
    lateral = (abs(x) < 38) & (y > -62) & (y < 40) & (z > -22) & (z < 32)
    # Fissures share the box; the ventricles are the connected part in its middle.
    fourth = (abs(x) < 9) & (y > -56) & (y < -30) & (z > -46) & (z < -18)
    inner = ndimage.distance_transform_edt(t1 > 0) > 6
    labels, count = ndimage.label(fluid & inner & (lateral | fourth))
    sizes = ndimage.sum_labels(np.ones_like(labels), labels, np.arange(1, count + 1))
    return np.isin(labels, 1 + np.flatnonzero(sizes > 150))


@lru_cache(maxsize=1)
def load_template() -> Template:
    """Read nilearn's maps and derive the fields; takes about ten seconds, once per process."""
    t1, white, gray = _load("t1"), _load("wm"), _load("gm")
    brain = t1 > 0

    def native(values: np.ndarray) -> Grid:
        return Grid(np.ascontiguousarray(values, np.float32), NATIVE_ORIGIN)

    from_white = ndimage.distance_transform_edt(white < 0.42).astype(np.float32)
    weight = ndimage.gaussian_filter(brain.astype(np.float32), 4)
    around = ndimage.gaussian_filter(t1, 4) / np.maximum(weight, 1e-3)
    ventricle = _signed_distance(_ventricles(t1, white, gray), 1.0)

    axes = [o + _WIDE_STEP * np.arange(n) for o, n in zip(_WIDE_ORIGIN, _WIDE_SHAPE, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1).astype(np.float32)
    wide = native(brain)(points).reshape(_WIDE_SHAPE) > 0.5
    grown = ndimage.distance_transform_edt(~wide, sampling=_WIDE_STEP) < _CLOSING
    closed = ndimage.distance_transform_edt(grown, sampling=_WIDE_STEP) > _CLOSING
    hull = ndimage.gaussian_filter(_signed_distance(closed | wide, _WIDE_STEP), 1.5)

    return Template(
        t1=native(t1),
        white=native(white),
        gray=native(gray),
        from_white=native(ndimage.gaussian_filter(from_white, 0.7)),
        ridge=native(
            ndimage.gaussian_filter(from_white, 0.5) - ndimage.gaussian_filter(from_white, 2)
        ),
        sulci=native(ndimage.gaussian_filter((around - t1) * brain, 0.6)),
        from_ventricle=native(ndimage.gaussian_filter(ventricle, 0.6)),
        from_brain=native(ndimage.gaussian_filter(_signed_distance(brain, 1.0), 0.7)),
        from_hull=Grid(hull, _WIDE_ORIGIN, _WIDE_STEP),
    )
