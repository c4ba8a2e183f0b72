"""Slices of a subset in memory, and the batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.slices import Patient
from btmodels.transforms.preprocess import fit_to, standardize
from train.fit.augment import change_intensities, fade_lesion, warp

TRAINING_SUBSETS = ("train", "validation")
"""All that training may open: test patients are for `evaluate` alone, reference patients likewise."""


@dataclass(frozen=True, eq=False)
class Subset:
    """Slices of some patients, at a network's size.

    Attributes:
        pixels: uint8, (n, size, size, 3).
        masks: uint8, (n, size, size), 0 to 255 (in between on edges where the size was reduced).
        patients: Folder name of each slice's patient.
        numbers: The number in each slice's file name; empty where nobody asked for it.
    """

    pixels: np.ndarray
    masks: np.ndarray
    patients: tuple[str, ...]
    numbers: tuple[int, ...] = ()

    @property
    def has_tumor(self) -> np.ndarray:
        """bool, (n,)."""
        return self.masks.reshape(len(self.masks), -1).max(axis=1) > 127

    def take(self, chosen: np.ndarray) -> Subset:
        """Return some of the slices.

        Args:
            chosen: Their indices, or a bool for each slice.
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
        data: The folder ``kaggle_3m`` or the one that holds it.
        subset: "train" or "validation".
        size: Rows and columns to fit them to.
        assets: Holds the split.
        limit: At most so many patients, the first ones by name.

    Raises:
        ValueError: Training asked for patients that it must not see.
        CohortError: The folder holds none of these patients.
    """
    if subset not in TRAINING_SUBSETS:
        raise ValueError(f"Training reads only {TRAINING_SUBSETS}. Received: subset={subset!r}")
    return read_subset(cohort.subset_patients(data, subset, assets)[:limit], size)


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


class Epoch(keras.utils.PyDataset):
    """The augmented batches of one epoch, a function of seed, epoch and step alone.

    So a run that was killed goes on as if nothing had happened. Slices with tumor are drawn twice as
    often as others.

    Args:
        subset: What to draw from.
        seed: Of the run.
        epoch: From 0.
        batch_size: Slices a batch.
        num_slices: Slices an epoch.
        verdict: Give the classifier's two targets instead of the mask.
        fade: Chance that a slice's lesion is made fainter.
        again: Draw slices anew where there are fewer; otherwise the epoch is shorter.
    """

    def __init__(
        self,
        subset: Subset,
        seed: int,
        epoch: int,
        batch_size: int,
        num_slices: int,
        verdict: bool = False,
        fade: float = 0.0,
        again: bool = False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.subset, self.verdict, self.fade = subset, verdict, fade
        self.seed, self.epoch, self.batch_size = seed, epoch, batch_size
        pool = np.concatenate([np.arange(len(subset.pixels)), np.flatnonzero(subset.has_tumor)])
        rng = np.random.default_rng((seed, epoch))
        rounds = -(-num_slices // len(pool)) if again else 1
        order = np.concatenate([rng.permutation(pool) for _ in range(rounds)])
        # Whole batches only: a short last batch would make JAX compile, and batch norm jump.
        self.order = order[: min(num_slices, len(order)) // batch_size * batch_size]

    def __len__(self) -> int:
        return len(self.order) // self.batch_size

    def __getitem__(self, step: int):
        rng = np.random.default_rng((self.seed, self.epoch, step))
        chosen = self.order[step * self.batch_size : (step + 1) * self.batch_size]
        made = [self._make(index, rng) for index in chosen]
        pixels = np.stack([item[0] for item in made])
        masks = np.stack([item[1] for item in made])[..., None]
        if not self.verdict:
            return pixels, masks
        size = masks.shape[1] // 4
        small = np.stack([cv2.resize(m, (size, size), interpolation=cv2.INTER_AREA) for m in masks])
        # A lesion that a shift pushed out of the picture is no longer there to be found.
        shown = (masks.sum(axis=(1, 2)) > 4).astype(np.float32)
        return pixels, {"verdict": shown, "where": small[..., None]}

    def _make(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pixels, mask = warp(self.subset.pixels[index], self.subset.masks[index], rng)
        values = change_intensities(pixels, rng)
        if self.fade and rng.random() < self.fade:
            values = fade_lesion(values, mask, rng)
        values = standardize(values)
        # The mean and deviation of a head shift with the lesion in it: do not rely on them too closely.
        values *= rng.uniform(0.9, 1.1, 3).astype(np.float32)
        values += rng.uniform(-0.15, 0.15, 3).astype(np.float32)
        return values, mask.astype(np.float32) / np.float32(255)
