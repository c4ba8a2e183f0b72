"""An individual head: the tissue at any point in millimeters, without lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.cohort.anatomy import Template
from train.cohort.face import face_depth, fill_face
from train.cohort.fields import FieldPoints, Noise, ellipsoid, rise
from train.cohort.physics import CODES
from train.cohort.vessels import BLOOD_AND_DURA, lay_vessels


@dataclass(frozen=True)
class Build:
    """Individual measures of a head.

    Attributes:
        cortex: Thickness in mm.
        atrophy: Widening of fissures and sulci in mm.
        ventricles: Outward shift of the ventricular wall in mm.
        scalp: Thickness of the fat in mm.
        diploe: Thickness of the marrow between the tables of the skull in mm.
        spots: Amount of age-related white matter hyperintensities: 0 none, 1 many.
        vessels: Share of visible vessels, 0 to 1.
    """

    cortex: float
    atrophy: float
    ventricles: float
    scalp: float
    diploe: float
    spots: float
    vessels: float


@dataclass(frozen=True, eq=False)
class Tissues:
    """Tissue at n points: ``code`` with a share of ``other``, and the texture of T2-weighted signal.

    Attributes:
        code: uint8, (n,).
        other: uint8, (n,); mixed in by ``share``.
        share: float32, (n,), 0 to 1.
        texture: float32, (n,), a factor near 1.
    """

    code: np.ndarray
    other: np.ndarray
    share: np.ndarray
    texture: np.ndarray


class Head:
    """A head made from the template with one person's noise.

    Args:
        template: The template's fields.
        build: Individual measures of the head.
        rng: Random generator of the person.
    """

    def __init__(self, template: Template, build: Build, rng: np.random.Generator):
        self.template, self.build = template, build
        self._noise = {
            name: Noise(rng, length)
            for name, length in {
                "fine": 2.6, "medium": 6, "broad": 14, "wide": 30, "vessel_a": 11, "vessel_b": 11,
                "spots": 5.5, "thickness": 50,
            }.items()
        }  # fmt: skip
        self._bend = [Noise(rng, 70) for _ in range(3)]
        self._fold = [Noise(rng, 12) for _ in range(3)]

    def bend(self, points: np.ndarray) -> np.ndarray:
        """Map a person's millimeters to the template's: shape of the head, then folds of the cortex."""
        large = np.stack([noise(points) for noise in self._bend])
        moved = points + np.float32(2.2) * large
        hull = self.template.from_hull(moved)
        inward = rise(hull, -34, -10) * rise(hull, 3, -5) * rise(moved[2], -38, -22)
        small = np.stack([noise(points) for noise in self._fold])
        return moved + np.float32(2.1) * inward * small

    def field_at(self, points: np.ndarray) -> FieldPoints:
        """Return points of the template's space, (3, n), with this head's noise."""
        return FieldPoints(points, self._noise)

    def depth(self, field: FieldPoints) -> np.ndarray:
        """Return the distance below the skin in mm, negative outside the head, (n,)."""
        above = self.template.from_hull(field.points) - self._cover(field)
        return np.maximum(-above, face_depth(field.points, 1.2 * field.noise("broad")))

    def tissues(self, field: FieldPoints, depth: np.ndarray) -> Tissues:
        """Return the tissue at points inside the head; ``depth`` is the result of `depth`."""
        code = np.full(depth.shape, CODES["air"], np.uint8)
        other, share = code.copy(), np.zeros(depth.shape, np.float32)
        hull = self.template.from_hull(field.points)
        brain = np.full(depth.shape, 99, np.float32)
        brain[hull < 3] = self.template.from_brain(field.points[:, hull < 3])
        fine, medium = field.noise("fine"), field.noise("medium")

        shell = hull > -1
        code[shell] = self._skull_and_scalp(field.part(shell), hull[shell], depth[shell])
        closed = hull < 0
        code[closed] = self._between(field.part(closed), brain[closed])
        inside = brain < 0.3
        code[inside], other[inside], share[inside] = self._brain(field.part(inside), brain[inside])
        lay_vessels(field, hull, self.build.vessels, code)
        share[np.isin(code, BLOOD_AND_DURA)] = 0
        grain = 0.045 + 0.07 * (code == CODES["fat"])
        texture = 1 + grain * fine + 0.03 * medium + 0.04 * field.noise("broad")
        return Tissues(code, other, share, texture.astype(np.float32))

    def _layers(self, field: FieldPoints) -> tuple[np.ndarray, ...]:
        """Return the outer limits of fluid, dura, inner table, marrow, outer table and muscle, in mm above
        the hull."""
        x, y, z = field.points
        n = field.noise("thickness")
        fluid = np.maximum(0.7 + self.build.atrophy + 0.4 * field.noise("broad"), 0.4)
        dura = fluid + 0.8
        inner = dura + 1.5
        thin = 1 - 0.8 * rise(np.abs(x), 48, 64) * rise(z, 38, 15)
        marrow = inner + np.maximum((self.build.diploe + 0.8 * n) * thin, 0.2)
        outer = marrow + 1.5
        bulge = rise(np.abs(x), 38, 66) * rise(y, -48, 8) * rise(y, 68, 30) * rise(z, 46, -4)
        nuchal = rise(y, -70, -92) * rise(z, -18, -44)
        muscle = outer + 8.0 * bulge + 12 * nuchal
        return fluid, dura, inner, marrow, outer, muscle

    def _cover(self, field: FieldPoints) -> np.ndarray:
        fat = np.maximum(self.build.scalp + 0.8 * field.noise("wide"), 1.5)
        back = 1.6 * rise(field.points[1], -60, -100) - 1.2 * rise(field.points[1], 30, 65)
        return self._layers(field)[-1] + fat + back + 1.6

    def _skull_and_scalp(self, field: FieldPoints, hull, depth) -> np.ndarray:
        points = field.points
        fluid, dura, inner, marrow, outer, muscle = self._layers(field)
        code = np.full(hull.shape, CODES["fat"], np.uint8)
        speck = field.noise("fine")
        code[speck > 1.9] = CODES["vein"]
        code[hull < muscle] = CODES["muscle"]
        code[(hull < muscle) & (hull > outer + 1.5) & (speck > 1.5)] = CODES["fat"]
        face = (points[2] < 6) & (hull > outer)
        deep = face & (points[1] > 8) | (face & (points[2] < -46))
        code[deep] = fill_face(field.part(deep))
        code[hull < outer] = CODES["bone"]
        code[(hull < marrow) & (hull > inner) & (speck < 1.4)] = CODES["marrow"]
        code[hull < dura] = CODES["dura"]
        code[hull < fluid] = CODES["fluid"]
        under = (depth < self.build.scalp) & (code != CODES["air"]) & (hull > outer)
        code[under] = np.where(np.abs(speck[under]) < 0.12, CODES["muscle"], CODES["fat"])
        code[(depth < 1.6) & (hull > outer)] = CODES["skin"]
        # Orbits open at the skin: lids and cornea are not fat.
        eyes = ellipsoid(np.stack([np.abs(points[0]), *points[1:]]), (32, 60, -33), (13, 13, 13))
        front = eyes < 1.0
        code[front] = fill_face(field.part(front))
        return code

    def _between(self, field: FieldPoints, brain: np.ndarray) -> np.ndarray:
        """Fill the hull outside the brain: fissures, cisterns, skull base."""
        code = np.full(brain.shape, CODES["fluid"], np.uint8)
        points, fine, broad = field.points, field.noise("fine"), field.noise("broad")
        wall = 3.2 + 0.8 * broad
        base = (brain > wall) & (points[2] < -14) & (np.abs(points[0]) > 5 + 2 * broad)
        code[base] = CODES["bone"]
        code[base & (fine + 0.5 * broad > 0.9)] = CODES["marrow"]
        code[base & (brain < wall + 0.9)] = CODES["dura"]
        return code

    def _brain(self, field: FieldPoints, brain) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        template, build, points = self.template, self.build, field.points
        x, y, z = points
        fine, medium = field.noise("fine"), field.noise("medium")
        white, gray = template.white(points), template.gray(points)
        away, sulci = template.from_white(points), template.sulci(points)

        code = np.full(x.shape, CODES["gray"], np.uint8)
        code[white + 0.035 * medium + 0.02 * fine > 0.46] = CODES["white"]
        thick = build.cortex + 0.35 * medium - 0.5 * build.atrophy
        groove = sulci + 0.012 * medium + 0.012 * build.atrophy
        ridge = template.ridge(points) + 0.06 * medium + 0.1 * build.atrophy
        open_sulcus = (away > thick) | (groove > 0.10) | ((ridge > 0.42) & (away > 1.7))
        # In the average of many brains the hemispheres touch; in one brain a fissure separates them.
        apart = np.abs(x - 0.9 * field.noise("wide")) < 1.0 + 0.6 * build.atrophy
        apart &= ((z > 4) | (y > 22) | (y < -70)) & (white < 0.55)
        open_sulcus = (open_sulcus & (brain > -26)) | apart
        code[(code != CODES["white"]) & open_sulcus] = CODES["fluid"]
        code[apart] = CODES["fluid"]
        code[(brain > -0.4 - 0.5 * build.atrophy) & (white < 0.4)] = CODES["fluid"]

        # Nuclei, brain stem and cerebellum are mixtures, not sheets, so they come from the maps.
        deep = (np.abs(x) < 33) & (y > -34) & (y < 32) & (z > -14) & (z < 26) & (brain < -16)
        stem = (np.abs(x) < 21) & (y > -44) & (y < -8) & (z < -4)
        tent = -3 - 0.42 * np.abs(x) - 0.5 * np.maximum(-60 - y, 0)
        low = (z < tent) & (y < -36)
        soft = (deep | stem | low) & ~apart & (brain < -0.8) & (white + gray > 0.35)
        mixed = white / np.maximum(white + gray, 0.05)
        share = np.zeros(x.shape, np.float32)
        other = np.full(x.shape, CODES["white"], np.uint8)
        code[soft], share[soft] = CODES["gray"], np.clip(mixed[soft] * 1.15, 0, 1)
        # The folia of the cerebellum run in arcs around the fourth ventricle.
        arc = np.hypot(y + 34, 1.15 * (z + 34)) + 0.25 * np.abs(x) + 1.6 * medium
        leaf = low & ~stem & (np.sin(arc * (2 * np.pi / 3.9)) > 0.55) & (white < 0.35)
        other[leaf], share[leaf] = CODES["fluid"], 0.55

        wall = template.from_ventricle(points) - build.ventricles - 0.25 * medium
        self._spots(field, code, other, share, wall)
        inner = (wall < 0) & (brain < -5)
        code[inner], share[inner] = CODES["fluid"], 0
        plexus = ellipsoid(np.stack([np.abs(x), y, z]), (22, -38, 8), (8, 9, 11)) + 0.25 * fine
        code[inner & (plexus < 0.85) & (wall < -0.8)] = CODES["choroid"]
        lining = (np.abs(wall) < 0.6) & (brain < -5)
        other[lining], share[lining] = CODES["spots"], np.float32(0.5)
        return code, other, share

    def _spots(self, field: FieldPoints, code, other, share, wall) -> None:
        """Add age-related hyperintensities: caps around the horns and spots in deep white matter."""
        x, y, z = field.points
        amount = self.build.spots
        ends = rise(y, 8, 24) + rise(y, -26, -46) + 0.35 * rise(z, 14, 24)
        reach = (1.2 + 5.0 * amount) * np.clip(ends, 0.15, 1) + 0.9 * field.noise("medium")
        white = (code == CODES["white"]) & (share == 0)
        cap = white & (wall < reach) & (wall > 0)
        other[cap], share[cap] = CODES["spots"], (0.85 * rise(wall, 7, 2))[cap].astype(np.float32)
        spot = white & (z > -6) & (wall > 2) & (wall < 26)
        height = np.full(x.shape, -1, np.float32)
        height[spot] = field.part(spot).noise("spots") - (2.8 - 0.95 * amount)
        spot &= height > 0
        level = (0.9 * rise(height, 0, 0.35)).astype(np.float32)
        other[spot], share[spot] = CODES["spots"], np.maximum(level, share)[spot]
