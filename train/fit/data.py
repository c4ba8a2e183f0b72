"""The batches of an epoch."""

from __future__ import annotations

import cv2
import keras
import numpy as np

from btmodels.training.fitting import FitConfig
from btmodels.transforms.preprocess import standardize
from train.fit.augment import NOTHING_MORE, Augmentation, change_intensities, fade_lesion, warp
from train.fit.copy_paste import paste_lesion
from train.fit.nnunet_augment import deform, degrade
from train.fit.stacks import heights_of, least_consistent, stack_statistics
from train.fit.subset import Subset

ELASTIC = 0.2
"""nnU-Net's probability of deforming a slice."""

SAME_HEIGHT = 0.1
"""Largest difference in relative height (0 to 1) between a pasted lesion's slice and its target."""

PASTE_TRIALS = 4
"""Lesions tried before a slice is left without one."""


class Epoch(keras.utils.PyDataset):
    """The augmented batches of one epoch, a function of seed, epoch and step alone.

    A run that was killed therefore resumes as if it had never stopped. Slices with tumor are drawn twice as
    often as others.

    Args:
        subset: Slices to draw from.
        seed: Seed of the run.
        epoch: Number of the epoch, from 0.
        batch_size: Slices per batch.
        num_slices: Slices per epoch; if there are fewer, they are drawn again.
        verdict: Return the classifier's two targets instead of the mask.
        fade: Probability of making a slice's lesion fainter.
        augmentation: Further augmentation.
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
        rounds = -(-num_slices // len(pool))
        order = np.concatenate([rng.permutation(pool) for _ in range(rounds)])
        # Whole batches only: a short last batch would recompile in JAX and shift batch statistics.
        self.order = order[: num_slices // batch_size * batch_size]

    @classmethod
    def of(cls, subset: Subset, config: FitConfig, epoch: int, **more) -> Epoch:
        """Return an epoch of a training; ``more`` are further arguments."""
        return cls(
            subset,
            config.seed,
            epoch,
            config.batch_size,
            config.num_slices,
            fade=config.fade,
            augmentation=Augmentation(**config.augmentation),
            workers=1,
            max_queue_size=4,
            **more,
        )

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
        # A lesion shifted out of the picture is not a target anymore.
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
        # A lesion shifts the head's mean and deviation, so the network must tolerate such changes.
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
