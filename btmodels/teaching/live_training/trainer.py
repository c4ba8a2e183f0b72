"""The networks of the lesson *Train one now*, and the small epochs that they learn in."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.metrics.overlap import count, dice, total
from btmodels.networks.unet import build_unet
from btmodels.slices import Slice, largest_lesion_slice
from btmodels.teaching.live_training.settings import (
    SIZE,
    EpochResult,
    Setting,
    TrainingSetup,
    split,
)
from btmodels.training import losses
from btmodels.training.fitting import FitConfig, compile_model, train_epoch
from btmodels.transforms.preprocess import fit_to, standardize, to_levels

LEVELS = 4
BATCH = 8
SEED = 0
"""All networks start from the same numbers and meet the same slices in the same order."""

_LOSSES = {"bce": losses.bce, "bce_dice": losses.bce_dice}


class Mirrored(keras.utils.PyDataset):
    """The batches of one epoch: all slices in an order of the epoch's own, half of them mirrored.

    Args:
        pixels: float32, (n, SIZE, SIZE, 3), standardized.
        masks: float32, (n, SIZE, SIZE, 1), 0 to 1.
        epoch: From 0.
    """

    def __init__(self, pixels: np.ndarray, masks: np.ndarray, epoch: int, **kwargs) -> None:
        super().__init__(**kwargs)
        generator = np.random.default_rng((SEED, epoch))
        self.pixels, self.masks = pixels, masks
        self.order = generator.permutation(len(pixels))
        self.mirrored = generator.random(len(pixels)) < 0.5

    def __len__(self) -> int:
        return -(-len(self.order) // BATCH)

    def __getitem__(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[step * BATCH : (step + 1) * BATCH]
        pixels, masks = self.pixels[chosen], self.masks[chosen]
        flip = self.mirrored[chosen]
        pixels[flip], masks[flip] = pixels[flip, :, ::-1], masks[flip, :, ::-1]
        return pixels, masks


class Trainer:
    """One or two networks that learn side by side.

    Args:
        settings: A network each.
        epochs: That they will be trained for: the learning rate's cycle is as long.
        assets: Holds the bundled cohort.

    Raises:
        CohortError: There are not two patients to learn from and to hold out.
    """

    def __init__(self, settings: Sequence[Setting], epochs: int, assets: Path) -> None:
        learned, held = split(cohort.read_cohort(cohort.samples_root(assets)))
        if not learned or not held:
            raise CohortError("Training takes two patients of the bundled cohort at least.")
        read = [cohort.read_slices(patient)[0] for patient in learned]
        kept = [
            each for patient in held for each in cohort.read_slices(patient)[0] if _scored(each)
        ]
        self._held = _arrays(kept)
        shown = kept[largest_lesion_slice(tuple(kept))]
        self._shown = kept.index(shown)
        self._networks: list[keras.Model] = []
        self._lessons: list[tuple[np.ndarray, np.ndarray]] = []
        self._done = [0] * len(settings)
        patients = []
        for setting in settings:
            # With few patients those with the most tumor are kept, or there would be nothing to learn.
            ranked = sorted(read, key=lambda slices: -sum(_tumor(each) for each in slices))
            taken = ranked[: setting.patients]
            slices = [each for patient in taken for each in patient if _scored(each)]
            patients.append(len(taken))
            self._lessons.append(_arrays(slices))
            self._networks.append(_network(setting, epochs, len(slices)))
        self._start = TrainingSetup(
            pid=os.getpid(),
            slices=tuple(len(pixels) for pixels, _ in self._lessons),
            patients=tuple(patients),
            held_out=len(kept),
            parameters=tuple(network.count_params() for network in self._networks),
            pixels=fit_to(shown.pixels, (SIZE, SIZE)),
            truth=self._held[1][self._shown, ..., 0] > 0.5,
            shown=(shown.patient, shown.number),
        )

    def start(self) -> TrainingSetup:
        """Return the networks and slices of this training."""
        return self._start

    def advance(self, number: int) -> EpochResult:
        """Train network ``number`` for one epoch and score it."""
        began = time.monotonic()
        network, epoch = self._networks[number], self._done[number]
        row = train_epoch(network, epoch, Mirrored(*self._lessons[number], epoch))
        self._done[number] += 1
        pixels, masks = self._held
        probability = ops.convert_to_numpy(ops.sigmoid(network(pixels, training=False)))[..., 0]
        counts = total(
            count(found > 0.5, true > 0.5)
            for found, true in zip(probability, masks[..., 0], strict=True)
        )
        levels = to_levels(probability[self._shown])
        seconds = time.monotonic() - began
        return EpochResult(number, row["epoch"], row["loss"], dice(counts), levels, seconds)


def _network(setting: Setting, epochs: int, slices: int) -> keras.Model:
    keras.utils.set_random_seed(SEED)
    filters = [setting.filters * 2**level for level in range(LEVELS)]
    network = build_unet((SIZE, SIZE, 3), filters, skips=setting.skips)
    config = FitConfig(
        epochs=epochs,
        num_slices=slices,
        batch_size=BATCH,
        learning_rate=setting.rate,
        warmup=0.1,
        seed=SEED,
    )
    compile_model(network, _LOSSES[setting.loss], config, -(-slices // BATCH))
    return network


def _arrays(slices: Sequence[Slice]) -> tuple[np.ndarray, np.ndarray]:
    size = (SIZE, SIZE)
    pixels = np.stack([standardize(fit_to(each.pixels, size)) for each in slices])
    masks = np.stack([fit_to(each.truth.astype(np.uint8) * 255, size) for each in slices])
    return pixels, masks[..., None].astype(np.float32) / np.float32(255)


def _scored(each: Slice) -> bool:
    return each.truth is not None


def _tumor(each: Slice) -> int:
    return 0 if each.truth is None else int(np.count_nonzero(each.truth))
