"""Slices of some patients in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels.dataset import cohort
from btmodels.slices import Patient
from btmodels.transforms.preprocess import fit_to

TRAINING_SUBSETS = ("train", "validation")
"""The subsets that training may open: test and reference patients are for `evaluate` alone."""


@dataclass(frozen=True, eq=False)
class Subset:
    """Slices of some patients, at a network's size.

    Attributes:
        pixels: uint8, (n, size, size, 3).
        masks: uint8, (n, size, size), 0 to 255 (intermediate values on edges after downsampling).
        patients: Folder name of each slice's patient.
        numbers: The number in each slice's file name; may be empty.
    """

    pixels: np.ndarray
    masks: np.ndarray
    patients: tuple[str, ...]
    numbers: tuple[int, ...] = ()

    @property
    def has_tumor(self) -> np.ndarray:
        """Whether each mask has a tumor, bool, (n,)."""
        return self.masks.reshape(len(self.masks), -1).max(axis=1) > 127

    def sha256(self) -> str:
        """Return the SHA-256 of patients, pixels, and masks."""
        found = hashlib.sha256("\n".join(self.patients).encode())
        found.update(np.ascontiguousarray(self.pixels))
        found.update(np.ascontiguousarray(self.masks))
        return found.hexdigest()

    def take(self, chosen: np.ndarray) -> Subset:
        """Return some of the slices.

        Args:
            chosen: Indices, or a bool for each slice.
        """
        picked = np.arange(len(self.pixels))[chosen]
        return Subset(
            self.pixels[picked],
            self.masks[picked],
            tuple(self.patients[i] for i in picked),
            tuple(self.numbers[i] for i in picked) if self.numbers else (),
        )


def load_subset(
    data: Path, subset: str, size: int, assets: Path, limit: int | None = None
) -> Subset:
    """Read the slices of a subset's patients.

    Args:
        data: The folder ``kaggle_3m`` or its parent.
        subset: "train" or "validation".
        size: Rows and columns to fit them to.
        assets: Folder with the split.
        limit: Largest number of patients, the first ones by name.

    Raises:
        ValueError: Training may not see these patients.
        CohortError: The folder holds none of these patients.
    """
    if subset not in TRAINING_SUBSETS:
        raise ValueError(f"Training reads only {TRAINING_SUBSETS}. Received: subset={subset!r}")
    return read_subset(cohort.subset_patients(data, subset, assets)[:limit], size)


def join(subsets: Iterable[Subset]) -> Subset:
    """Return the slices of several subsets of the same size as one."""
    parts = list(subsets)
    return Subset(
        np.concatenate([part.pixels for part in parts]),
        np.concatenate([part.masks for part in parts]),
        tuple(name for part in parts for name in part.patients),
        tuple(number for part in parts for number in part.numbers),
    )


def read_subset(patients: Iterable[Patient], size: int) -> Subset:
    """Read the slices of some patients that have a mask, fitted to ``size`` rows and columns."""
    pixels, masks, names, numbers = [], [], [], []
    for patient in patients:
        for file in patient.files:
            item = cohort.read_slice(patient, file)
            if item.truth is None:
                continue
            pixels.append(fit_to(item.pixels, (size, size)))
            masks.append(fit_to(item.truth.astype(np.uint8) * 255, (size, size)))
            names.append(patient.folder)
            numbers.append(file.number)
    return Subset(np.stack(pixels), np.stack(masks), tuple(names), tuple(numbers))
