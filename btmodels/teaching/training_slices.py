"""A few small slices of the synthetic patients, on which a browser can train within seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.slices import Slice
from btmodels.transforms.preprocess import FOREGROUND_LEVEL, fit_to

SIZE = 48
"""Rows and columns of the downsampled slices."""

PER_PATIENT = 8
"""Maximum slices per patient: half of them with the most tumor, the others spread over the head."""

HEAD = 0.1
"""Minimum fraction of head in a slice: the outermost slices show next to nothing."""

HELD_OUT = ("SYNT_AA_0001_20260101", "SYNT_AA_0006_20260101")
"""Held-out patients, for the scores and the displayed mask."""


@dataclass(frozen=True, eq=False)
class TrainingSlices:
    """Slices of one patient.

    Attributes:
        patient: Folder name.
        held_out: Whether no network is trained on them.
        pixels: uint8, (slices, SIZE, SIZE, 3), 0 to 255.
        truth: uint8, (slices, SIZE, SIZE), 255 inside the tumor, intermediate values at its edge.
        numbers: Numbers of the slices, from 1.
    """

    patient: str
    held_out: bool
    pixels: np.ndarray
    truth: np.ndarray
    numbers: tuple[int, ...]


def read(assets: Path = paths.ASSETS) -> list[TrainingSlices]:
    """Read the bundled patients: the training patients, most tumor first, then the held-out ones.

    With the most tumor first, a network that is trained on a single patient still learns something.

    Raises:
        CohortError: There are no bundled patients.
    """
    found = []
    for patient in cohort.read_cohort(cohort.samples_root(assets)):
        slices = [each for each in cohort.read_slices(patient)[0] if _usable(each)]
        kept = _chosen(slices)
        if not kept:
            continue
        found.append(
            TrainingSlices(
                patient.folder,
                patient.folder in HELD_OUT,
                np.stack([fit_to(each.pixels, (SIZE, SIZE)) for each in kept]),
                np.stack(
                    [fit_to(each.truth.astype(np.uint8) * 255, (SIZE, SIZE)) for each in kept]
                ),
                tuple(each.number for each in kept),
            )
        )
    return sorted(found, key=lambda each: (each.held_out, -int(each.truth.sum(dtype=np.int64))))


def _usable(each: Slice) -> bool:
    return each.truth is not None and (each.pixels.max(-1) > FOREGROUND_LEVEL).mean() > HEAD


def _chosen(slices: list[Slice]) -> list[Slice]:
    sizes = np.array([np.count_nonzero(each.truth) for each in slices])
    largest = [place for place in np.argsort(-sizes, kind="stable") if sizes[place]]
    chosen = set(largest[: PER_PATIENT // 2])
    others = [place for place in range(len(slices)) if place not in chosen]
    wanted = min(len(others), PER_PATIENT - len(chosen))
    spread = np.linspace(0, len(others) - 1, wanted).round().astype(int)
    return [slices[place] for place in sorted(chosen | {others[place] for place in spread})]
