"""Lesions that grow from a seed, fast along white matter and slowly through cortex, and their tissue."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

from train.cohort.anatomy import Template
from train.cohort.fields import Grid, Noise, rise
from train.cohort.physics import CODES

_BARRIER = 400.0


@dataclass(frozen=True)
class Plan:
    """Parameters of a lesion.

    Attributes:
        seed: Its origin, in the template's millimeters (x right, y front, z up).
        milliliters: Its volume in the template.
        core: Share of the path from seed to edge that is solid tumor rather than infiltrated tissue.
        cyst: The same for a cyst within the core; 0 for none.
        rim: Whether the core's border enhances.
        edge: Width of the transition to normal tissue in mm.
        push: Displacement of its surroundings (mass effect), as a share of its radius.
        fingers: Preference for growth along white matter, 0 to 1.
        reach: Largest extent from the seed along each axis, in mm.
    """

    seed: tuple[float, float, float]
    milliliters: float
    core: float = 0.45
    cyst: float = 0.0
    rim: bool = False
    edge: float = 1.6
    push: float = 0.12
    fingers: float = 0.6
    reach: int = 48


@dataclass(frozen=True, eq=False)
class Overlay:
    """A lesion's share of the tissue at n points.

    Attributes:
        share: float32, (n,), 0 for no lesion, 1 for lesion alone.
        code: uint8, (n,), its tissue.
        texture: float32, (n,), a factor near 1 on its T2-weighted signal.
        inside: bool, (n,), whether an expert would include the point in the mask.
    """

    share: np.ndarray
    code: np.ndarray
    texture: np.ndarray
    inside: np.ndarray


class Lesion:
    """A lesion grown in the template's space.

    Args:
        template: The template's fields.
        plan: Its parameters.
        rng: Random generator of its shape.
    """

    def __init__(self, template: Template, plan: Plan, rng: np.random.Generator):
        self.plan = plan
        self._noise = {length: Noise(rng, length) for length in (3, 7, 16)}
        origin = tuple(float(round(v) - plan.reach) for v in plan.seed)
        side = 2 * plan.reach + 1
        axes = [o + np.arange(side) for o in origin]
        points = np.stack(np.meshgrid(*axes, indexing="ij")).reshape(3, -1).astype(np.float32)
        shape = (side,) * 3

        white, gray = template.white(points), template.gray(points)
        ease = (1 - plan.fingers) * 0.5 + plan.fingers * white + 0.28 * gray
        ease *= np.exp(0.35 * self._noise[7](points) + 0.3 * self._noise[16](points))
        cost = 1 / np.maximum(ease, 0.05)
        wall = (template.from_brain(points) > -0.8) | (template.from_ventricle(points) < 0.5)
        # The falx stops it; only the corpus callosum leads across.
        wall |= (np.abs(points[0]) < 2) & (white < 0.6)
        cost = np.where(wall, _BARRIER, cost).reshape(shape)
        time, _ = MCP_Geometric(cost).find_costs([(plan.reach,) * 3])

        voxels = int(plan.milliliters * 1000)
        last = np.partition(time.ravel(), voxels)[voxels]
        grown = ndimage.gaussian_filter((time < last).astype(np.float32), 1.1) > 0.5
        grown = ndimage.binary_fill_holes(grown)
        away = ndimage.distance_transform_edt(~grown) - ndimage.distance_transform_edt(grown)
        self.border = Grid(ndimage.gaussian_filter(away.astype(np.float32), 0.7), origin)
        progress = np.clip(time / last, 0, 2).astype(np.float32)
        self._progress = Grid(ndimage.gaussian_filter(progress, 1.0), origin)
        where = np.argwhere(grown)
        self._box = np.stack([where.min(0), where.max(0)], 1) + np.array(origin)[:, None]
        self.center = (where.mean(0) + origin).astype(np.float32)
        self.radius = float((3 * len(where) / (4 * np.pi)) ** (1 / 3))

    def displace(self, points: np.ndarray) -> np.ndarray:
        """Push tissue around the lesion outward, (3, n) -> (3, n)."""
        if not self.plan.push:
            return points
        away = points - self.center[:, None]
        reach = np.einsum("in,in->n", away, away) / (2 * (1.5 * self.radius) ** 2)
        return points - away * (self.plan.push * np.exp(-reach)).astype(np.float32)

    def near(self, points: np.ndarray) -> np.ndarray:
        """Return whether the lesion may reach each of the points, (3, n), as bool, (n,)."""
        margin = 3 * self.plan.edge + 1
        low, high = self._box[:, :1] - margin, self._box[:, 1:] + margin
        return ((points > low) & (points < high)).all(0)

    def overlay(self, points: np.ndarray, code: np.ndarray) -> Overlay:
        """Return the lesion at points of the template's space, over tissue of the given codes."""
        plan = self.plan
        border = self.border(points)
        fine, medium, broad = (self._noise[length](points) for length in (3, 7, 16))
        width = plan.edge * np.clip(1 + 0.5 * broad, 0.35, 2.2)
        share = rise(border, 0.8 * width, -0.8 * width).astype(np.float32)
        tissue = np.isin(code, [CODES["white"], CODES["gray"]])
        # Swelling closes the sulci within, so fluid survives only near the border.
        effaced = (code == CODES["fluid"]) * 0.75 * rise(border, -0.5, -3.0)
        share *= np.where(tissue, 1, effaced).astype(np.float32)
        # Sparing the cortex slightly lets the gyri show through.
        share *= np.where(code == CODES["gray"], 0.86, 1).astype(np.float32)

        way = self._progress(points)
        progress = way + 0.07 * medium + 0.03 * fine
        kind = np.full(border.shape, CODES["infiltrated"], np.uint8)
        kind[progress < plan.core] = CODES["core"]
        if plan.cyst:
            kind[progress < plan.cyst] = CODES["cyst"]
        if plan.rim:
            start = max(plan.cyst, 0.6 * plan.core)
            thick = 0.07 + 0.04 * broad
            kind[(np.abs(progress - start - 0.04) < thick) & (medium > -0.9)] = CODES["rim"]
        texture = 1 + 0.07 * broad + 0.06 * medium + 0.04 * fine
        fading = 1 - 0.16 * np.clip(way, 0, 1.2) ** 2
        return Overlay(share, kind, (texture * fading).astype(np.float32), border < 0)
