"""Features of a slice from its stack: height, neighbors, statistics, and consistency of the masks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from btmodels.metrics.overlap import count, dice, mean_of
from btmodels.slices import FLAIR
from btmodels.transforms.preprocess import FOREGROUND_LEVEL
from train.fit.subset import Subset


def least_consistent(subset: Subset, share: float = 0.2) -> list[str]:
    """Return the patients whose masks agree least from slice to slice.

    Agreement is the mean Dice of neighboring masks of which at least one has a tumor. It reflects the
    consistency of the annotation and, for small tumors, the slice thickness.

    Args:
        subset: Slices with numbers.
        share: Share of the patients to return.
    """
    agreement = {}
    for name, own in by_patient(subset).items():
        masks = subset.masks[own] > 127
        pairs = [count(one, two) for one, two in pairwise(masks) if one.any() or two.any()]
        agreement[name] = mean_of(map(dice, pairs)) if pairs else 1.0
    return sorted(agreement, key=agreement.get)[: round(share * len(agreement))]


def heights_of(subset: Subset) -> np.ndarray:
    """Return each slice's relative height in its patient's stack, 0 to 1: float, (n,)."""
    found = np.zeros(len(subset.pixels))
    for own in by_patient(subset).values():
        found[own] = np.linspace(0, 1, len(own))
    return found


def stack_statistics(subset: Subset) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Return, by slice index, the gain and offset, (3,) each, that convert a standardized slice to
    standardization by the mean and standard deviation of its patient's whole stack."""
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

    The first and the last slice of a stack stand in for their missing neighbors.

    Args:
        subset: Slices with numbers.
    """
    flair = subset.pixels[..., FLAIR]
    pixels = np.empty_like(subset.pixels)
    for own in by_patient(subset).values():
        last = len(own) - 1
        for channel, step in enumerate((-1, 0, 1)):
            pixels[own, ..., channel] = flair[own[np.clip(np.arange(last + 1) + step, 0, last)]]
    return replace(subset, pixels=pixels)


def by_patient(subset: Any) -> dict[str, np.ndarray]:
    """Return the indices of each patient's slices, in stack order.

    Args:
        subset: A `Subset`, or anything else with ``patients`` and ``numbers`` of slices.

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
