"""Clean-up of a patient's masks that a slice alone cannot have: parts in three dimensions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEAST_SHARE = 0.1
"""Parts with fewer pixels than this share of the largest are dropped."""

RULE = (
    "Of the parts that connect across neighboring slices those with fewer than "
    f"{100 * LEAST_SHARE:.0f} % of the largest part's pixels are dropped."
)
"""The rule in a sentence, for those who report a score with it."""


def drop_small_parts(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Keep a patient's largest part in three dimensions and those that are not small beside it.

    A tumor runs through neighboring slices, a false alarm is mostly a speck in one or two of them.
    Buda et al. 2019 keep the largest part alone, which loses the smaller one of a tumor in two parts;
    a share of the largest keeps both. The share is a round number that was not fitted to any patients.

    Args:
        masks: bool, (rows, cols) each, slices in the order of the stack. Pixels that touch, by a corner
            or from one slice to the next, belong to one part. Slices of several sizes are laid corner
            on corner.

    Returns:
        bool, the masks' own shapes.
    """
    from skimage.measure import label  # takes longer to import than most pages to draw

    if not masks:
        return []
    rows, cols = np.max([mask.shape for mask in masks], axis=0)
    volume = np.zeros((len(masks), rows, cols), bool)
    for layer, mask in zip(volume, masks, strict=True):
        layer[: mask.shape[0], : mask.shape[1]] = mask
    labels = label(volume, connectivity=3)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0  # label 0 is what is not marked
    keep = (sizes >= LEAST_SHARE * sizes.max()) & (sizes > 0)
    return [
        keep[layer[: mask.shape[0], : mask.shape[1]]]
        for layer, mask in zip(labels, masks, strict=True)
    ]
