"""Slices of a subset in memory, and the batches of an epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import cv2
import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics.overlap import count, dice, mean_of
from btmodels.slices import FLAIR, Patient
from btmodels.transforms.preprocess import FOREGROUND_LEVEL, fit_to, standardize
from train.fit.augment import NOTHING_MORE, Augmentation, change_intensities, fade_lesion, warp
from train.fit.copy_paste import paste_lesion
from train.fit.nnunet_augment import deform, degrade

ELASTIC = 0.2
"""nnU-Net's chance that a slice is deformed."""

SAME_HEIGHT = 0.1
"""Lesions are pasted from slices whose place in their stack, from 0 to 1, differs by no more."""

PASTE_TRIALS = 4
"""Lesions tried before a slice is left without one."""

TRAINING_SUBSETS = ("train", "validation")
"""All that training may open: test patients are for `evaluate` alone, reference patients likewise."""


@dataclass(frozen=True)
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
        augmentation: More changes.
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
        augmentation: Augmentation = NOTHING_MORE,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.augmentation = augmentation
        self.subset, self.verdict, self.fade = subset, verdict, fade
        self.seed, self.epoch, self.batch_size = seed, epoch, batch_size
        self.donors = np.flatnonzero(subset.has_tumor)
        self.names = np.array(subset.patients)
        pool = np.concatenate([np.arange(len(subset.pixels)), self.donors])
        rng = np.random.default_rng((seed, epoch))
        if augmentation.leave_out:
            doubtful = np.isin(self.names[pool], least_consistent(subset))
            pool = pool[~doubtful | (rng.random(len(pool)) >= augmentation.leave_out)]
        self.heights = heights_of(subset) if augmentation.paste else None
        self.stacks = stack_statistics(subset) if augmentation.volume else {}
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
        more = self.augmentation
        pixels, mask = self.subset.pixels[index], self.subset.masks[index]
        if more.paste and rng.random() < more.paste:
            pixels, mask = self._paste(index, rng)
        pixels, mask = warp(pixels, mask, rng, more.strength)
        if more.nnunet and rng.random() < ELASTIC:
            pixels, mask = deform(pixels, mask, rng)
        values = change_intensities(pixels, rng, more.strength)
        if more.nnunet:
            values = degrade(values, rng)
        if self.fade and rng.random() < self.fade:
            values = fade_lesion(values, mask, rng)
        values = standardize(values)
        if more.volume and rng.random() < more.volume:
            gain, offset = self.stacks[index]
            values = values * gain + offset
        # The mean and deviation of a head shift with the lesion in it: do not rely on them too closely.
        values *= rng.uniform(0.9, 1.1, 3).astype(np.float32)
        values += rng.uniform(-0.15, 0.15, 3).astype(np.float32)
        mask = mask.astype(np.float32) / np.float32(255)
        if more.soft_edges:
            mask = cv2.GaussianBlur(mask, (0, 0), more.soft_edges * mask.shape[0] / 256)
        return values, mask

    def _paste(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        pixels, mask = self.subset.pixels[index], self.subset.masks[index]
        far = np.abs(self.heights[self.donors] - self.heights[index])
        others = self.donors[(self.names[self.donors] != self.names[index]) & (far <= SAME_HEIGHT)]
        for donor in rng.choice(others, PASTE_TRIALS) if len(others) else ():
            pasted, marked = paste_lesion(
                pixels, mask, self.subset.pixels[donor], self.subset.masks[donor], rng
            )
            if marked is not mask:
                return pasted, marked
        return pixels, mask


def least_consistent(subset: Subset, share: float = 0.2) -> list[str]:
    """Return the patients whose masks agree least from slice to slice.

    Agreement is the mean Dice of neighboring masks where either has a tumor. It says how steady the
    annotator's hand was, and, of small tumors, how thick the slices are.

    Args:
        subset: With its slices' numbers.
        share: Of the patients.
    """
    agreement = {}
    for name, own in by_patient(subset).items():
        masks = subset.masks[own] > 127
        pairs = [count(one, two) for one, two in pairwise(masks) if one.any() or two.any()]
        agreement[name] = mean_of(map(dice, pairs)) if pairs else 1.0
    return sorted(agreement, key=agreement.get)[: round(share * len(agreement))]


def heights_of(subset: Subset) -> np.ndarray:
    """Return where each slice lies in its patient's stack, 0 to 1: float, (n,)."""
    found = np.zeros(len(subset.pixels))
    for own in by_patient(subset).values():
        found[own] = np.linspace(0, 1, len(own))
    return found


def stack_statistics(subset: Subset) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return gain and offset, (3,) each, that turn a standardized slice into one that was standardized by
    the mean and the deviation of its patient's whole stack; by the slice's index."""
    found = {}
    for own in by_patient(subset).values():
        heads = [subset.pixels[i][subset.pixels[i].max(axis=2) > FOREGROUND_LEVEL] for i in own]
        whole = np.concatenate(heads).astype(np.float32)
        middle, spread = whole.mean(axis=0), np.maximum(whole.std(axis=0), 1.0)
        for index, head in zip(own, heads, strict=True):
            if len(head) < 0.01 * subset.pixels[index][..., 0].size:
                found[int(index)] = np.ones(3, np.float32), np.zeros(3, np.float32)
                continue
            gain = np.maximum(head.std(axis=0), 1.0) / spread
            offset = (head.mean(axis=0) - middle) / spread
            found[int(index)] = gain.astype(np.float32), offset.astype(np.float32)
    return found


def join_neighbors(subset: Subset) -> Subset:
    """Return slices whose channels are the FLAIR images of the slice below, the slice, and the one above.

    The first and the last slice of a stack stand in for the neighbors that they lack.

    Args:
        subset: With its slices' numbers.
    """
    flair = subset.pixels[..., FLAIR]
    pixels = np.empty_like(subset.pixels)
    for own in by_patient(subset).values():
        last = len(own) - 1
        for channel, step in enumerate((-1, 0, 1)):
            pixels[own, ..., channel] = flair[own[np.clip(np.arange(last + 1) + step, 0, last)]]
    return replace(subset, pixels=pixels)


def by_patient(subset: Subset) -> dict[str, np.ndarray]:
    """Return the indices of each patient's slices, in the order of the stack.

    Raises:
        ValueError: The slices have no numbers.
    """
    if not subset.numbers:
        raise ValueError("These slices have no numbers to be ordered by.")
    names, numbers = np.array(subset.patients), np.array(subset.numbers)
    found = {}
    for name in dict.fromkeys(subset.patients):
        own = np.flatnonzero(names == name)
        found[name] = own[np.argsort(numbers[own])]
    return found
