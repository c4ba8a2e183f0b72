"""The patients of the cohort: anatomy, position and scanner settings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from train.cohort.head import Build
from train.cohort.lesions import Plan
from train.cohort.physics import Scanner, Sequence

LOWEST, HIGHEST = -47.0, 82.0
"""Heights of the first and the last slice in mm: from the pons and the orbits to the vertex."""


@dataclass(frozen=True)
class SyntheticPatient:
    """A synthetic patient.

    Attributes:
        description: Text for readers.
        num_slices: Slices from base to vertex.
        plans: Lesions.
        spots: Amount of age-related white matter hyperintensities, 0 to 1; the rest of the build is random.
        inverted: Whether T1 weighting uses inversion recovery instead of a spin echo.
        stand_ins: Missing channels (0 pre, 2 post), replaced by FLAIR.
        location, laterality: Codes of data.csv, None without a lesion.
    """

    description: str
    num_slices: int
    plans: tuple[Plan, ...] = ()
    spots: float = 0.3
    inverted: bool = False
    stand_ins: tuple[int, ...] = ()
    location: int | None = None
    laterality: int | None = None


LEFT, RIGHT = 1, 3
FRONTAL, PARIETAL, TEMPORAL = 2, 5, 6

PATIENTS = (
    SyntheticPatient(
        "large left frontal lesion with a cyst and a rim that takes up contrast",
        22,
        (Plan((-27, 34, 26), 62, core=0.62, cyst=0.42, rim=True, edge=1.8, push=0.2),),
        location=FRONTAL,
        laterality=LEFT,
    ),
    SyntheticPatient("no tumor; many age-related bright spots in the white matter", 22, spots=0.9),
    SyntheticPatient(
        "one small right parietal lesion",
        21,
        (Plan((34, -38, 36), 3.2, core=0.3, edge=1.1, push=0.05, fingers=0.7),),
        spots=0.45,
        location=PARIETAL,
        laterality=RIGHT,
    ),
    SyntheticPatient(
        "two-part lesion of the right hemisphere: temporal, and apart from it frontal",
        24,
        (
            Plan((44, -14, -10), 15, core=0.35, edge=1.6, fingers=0.65),
            Plan((28, 34, 22), 9, core=0.3, rim=True, edge=1.4, push=0.08),
        ),
        location=TEMPORAL,
        laterality=RIGHT,
    ),
    SyntheticPatient(
        "left insular and temporal lesion in 60 thin slices",
        60,
        (Plan((-40, 2, -4), 34, core=0.4, edge=1.7, push=0.12, fingers=0.7),),
        spots=0.2,
        inverted=True,
        location=TEMPORAL,
        laterality=LEFT,
    ),
    SyntheticPatient(
        "right parietal lesion with a faint rim; no post-contrast series, FLAIR stands in",
        22,
        (Plan((27, -48, 32), 22, core=0.45, rim=True, edge=2.2, fingers=0.75),),
        spots=0.5,
        stand_ins=(2,),
        location=PARIETAL,
        laterality=RIGHT,
    ),
    SyntheticPatient(
        "right frontal lesion with a ragged border; no pre-contrast series, FLAIR stands in",
        22,
        (Plan((25, 22, 36), 40, core=0.4, edge=2.2, push=0.15, fingers=0.85),),
        stand_ins=(0,),
        location=FRONTAL,
        laterality=RIGHT,
    ),
    SyntheticPatient(
        "left parietal lesion; neither T1 series, FLAIR stands in for both",
        20,
        (Plan((-30, -30, 42), 13, core=0.3, edge=1.4, push=0.08),),
        spots=0.2,
        stand_ins=(0, 2),
        location=PARIETAL,
        laterality=LEFT,
    ),
)


@dataclass(frozen=True, eq=False)
class Variation:
    """Random properties of a patient.

    Attributes:
        build: Measures of the head.
        turn: Rotation, (3, 3), from the scanner's axes to the head's.
        scale: Size of the template's head over this one's, (3,).
        center: Position of the head's origin in the picture, in pixels from its middle (row, col).
        pixel: Millimeters per pixel.
        sequences: Sequences of pre, FLAIR, post.
        spread: Factor on T2 by tissue.
        scanners: Scanner settings of pre, FLAIR, post.
        shifts: Misregistration of pre, FLAIR, post in pixels, (3, 2).
        level: Position of each channel's gain within its admissible range, 0 to 1.
    """

    build: Build
    turn: np.ndarray
    scale: np.ndarray
    center: tuple[float, float]
    pixel: float
    sequences: tuple[Sequence, Sequence, Sequence]
    spread: dict[str, float]
    scanners: tuple[Scanner, Scanner, Scanner]
    shifts: np.ndarray
    level: np.ndarray


def _turn(angles: np.ndarray) -> np.ndarray:
    (a, b, c), eye = np.radians(angles), np.eye(3)
    matrices = []
    for angle, (i, j) in zip((a, b, c), ((1, 2), (0, 2), (0, 1)), strict=True):
        matrix = eye.copy()
        matrix[i, i] = matrix[j, j] = np.cos(angle)
        matrix[i, j], matrix[j, i] = -np.sin(angle), np.sin(angle)
        matrices.append(matrix)
    return matrices[0] @ matrices[1] @ matrices[2]


def sample_variation(person: SyntheticPatient, rng: np.random.Generator) -> Variation:
    """Draw a patient's random properties."""
    u = rng.uniform
    build = Build(
        cortex=u(4.4, 5.2),
        atrophy=u(0, 0.5) + 0.5 * person.spots,
        ventricles=u(-0.6, 0.8) + 0.8 * person.spots,
        scalp=u(2.8, 6.0),
        diploe=u(1.4, 3.0),
        spots=person.spots,
        vessels=u(0.2, 0.8),
    )
    flair = Sequence(u(8500, 10500), u(105, 130), u(2250, 2550))
    plain = Sequence(u(450, 620), u(9, 16))
    if person.inverted:
        plain = Sequence(u(2000, 2400), u(12, 24), u(720, 820))
    after = Sequence(u(450, 620), u(9, 16), injected=True)
    spread = {
        "infiltrated": u(0.92, 1.12),
        "core": u(0.88, 1.08),
        "gray": u(0.95, 1.04),
        "fat": u(0.9, 1.25),
        "spots": u(0.92, 1.1),
    }
    scanners = tuple(
        Scanner((u(0.78, 0.95), u(0.62, 0.85)), u(0.03, 0.06), u(0.0, 0.07)) for _ in range(3)
    )
    shifts = rng.normal(0, 0.35, (3, 2))
    shifts[1] = 0
    return Variation(
        build=build,
        turn=_turn(rng.normal(0, (5, 2, 3))),
        scale=1 / u((0.93, 0.92, 0.94), (1.0, 1.0, 1.0)),
        center=(u(4, 14), u(-4, 4)),
        pixel=u(0.9, 1.04),
        sequences=(plain, flair, after),
        spread=spread,
        scanners=scanners,
        shifts=shifts,
        level=u(0.35, 0.95, 3),
    )
