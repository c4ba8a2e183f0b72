"""Smooth random fields and gridded volumes, both evaluated at any point in millimeters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume on a regular grid, read by linear interpolation.

    Attributes:
        values: float32, (nx, ny, nz).
        origin: Millimeters of the first voxel's center, (x, y, z).
        step: Millimeters between voxels.
    """

    values: np.ndarray
    origin: tuple[float, float, float]
    step: float = 1.0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the values at points, float32, (n,); outside the grid, those of the nearest voxel.

        Args:
            points: Millimeters, (3, n).
        """
        index = (points - np.array(self.origin, np.float32)[:, None]) / np.float32(self.step)
        return ndimage.map_coordinates(
            self.values, index, order=1, mode="nearest", output=np.float32
        )


class Noise:
    """A stationary random field with mean 0 and standard deviation 1, with a period beyond the head.

    Args:
        rng: Random generator.
        length: Correlation length in millimeters.
        cells: Lattice points per axis.
    """

    def __init__(self, rng: np.random.Generator, length: float, cells: int = 0):
        # Longer than the head before the field repeats, unless it is very fine.
        cells = cells or int(np.clip(600 / length, 16, 80))
        lattice = ndimage.gaussian_filter(
            rng.standard_normal((cells,) * 3).astype(np.float32), 1.2, mode="wrap"
        )
        self.lattice = (lattice - lattice.mean()) / lattice.std()
        # With two lattice points per length, linear interpolation shows no kinks.
        self.step = np.float32(length / 2)

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Return the field at points in millimeters, float32, (n,)."""
        return ndimage.map_coordinates(
            self.lattice, points / self.step, order=1, mode="grid-wrap", output=np.float32
        )


class FieldPoints:
    """Points in millimeters, and the named noise fields there, each evaluated once when first asked for.

    Args:
        points: Millimeters, (3, n).
        fields: Noise fields by name.
        known: Values at the points already evaluated, by name.
    """

    def __init__(
        self,
        points: np.ndarray,
        fields: dict[str, Noise],
        known: dict[str, np.ndarray] | None = None,
    ):
        self.points, self._fields = points, fields
        self._known = {} if known is None else known

    def noise(self, name: str) -> np.ndarray:
        """Return a field's values at the points, float32, (n,)."""
        if name not in self._known:
            self._known[name] = self._fields[name](self.points)
        return self._known[name]

    def part(self, which: np.ndarray) -> FieldPoints:
        """Return the points selected by ``which``, bool, (n,)."""
        known = {name: values[which] for name, values in self._known.items()}
        return FieldPoints(self.points[:, which], self._fields, known)


def rise(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Rise smoothly from 0 at ``low`` to 1 at ``high`` (which may be less than ``low``)."""
    t = np.clip((values - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def ellipsoid(points: np.ndarray, center: tuple, radii: tuple) -> np.ndarray:
    """Return the normalized radius at points: below 1 inside, 1 on the surface, (n,)."""
    scaled = (points - np.array(center, np.float32)[:, None]) / np.array(radii, np.float32)[:, None]
    return np.sqrt(np.einsum("in,in->n", scaled, scaled))


def tube(points: np.ndarray, knots: list[tuple]) -> np.ndarray:
    """Return the distance in millimeters from points to the polyline through ``knots``, (n,)."""
    nearest = np.full(points.shape[1], np.inf, np.float32)
    for first, second in zip(knots, knots[1:], strict=False):
        a, b = np.array(first, np.float32)[:, None], np.array(second, np.float32)[:, None]
        along = np.clip(((points - a) * (b - a)).sum(0) / ((b - a) ** 2).sum(), 0, 1)
        away = points - a - along * (b - a)
        nearest = np.minimum(nearest, np.sqrt(np.einsum("in,in->n", away, away)))
    return nearest
