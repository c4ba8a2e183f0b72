"""A patient's masks at one threshold: pixels in each slice, and the score over all slices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from btmodels.metrics import overlap
from ui.session.cache import SessionCache
from ui.session.stack import Analyzed

_tallies: SessionCache[Tally] = SessionCache("patients.tally", 1)
"""The last tally: most reruns need the same one."""


@dataclass(frozen=True, eq=False)
class Tally:
    """Masks and pixel counts of the slices of a stack.

    Attributes:
        key: Equal keys mean equal masks.
        masks: bool, (rows, cols), one per slice; None where a slice is not segmented yet.
        predicted: Pixels in ``masks``.
        true: Pixels of the true masks; None where a slice has none.
        dice: Dice over all slices with both masks; None if there are none or both masks are empty.
        scored: Number of those slices.
    """

    key: tuple
    masks: tuple[np.ndarray | None, ...]
    predicted: tuple[int | None, ...]
    true: tuple[int | None, ...]
    dice: float | None
    scored: int

    @property
    def complete(self) -> bool:
        """Whether all slices are segmented."""
        return None not in self.predicted


def tally(analyzed: Analyzed, threshold: float) -> Tally:
    """Cut the masks of a stack and count.

    Args:
        analyzed: The stack, which may be partly segmented.
        threshold: Threshold on the segmenter's probability, 0 to 1.
    """
    weights = {each.weights_sha256 for each in analyzed.analyses if each}
    there = tuple(each is not None for each in analyzed.analyses)
    key = (analyzed.stack.keys, frozenset(weights), there, threshold)
    return _tallies.get(key) or _tallies.put(key, _tally(analyzed, threshold, key))


def _tally(analyzed: Analyzed, threshold: float, key: tuple) -> Tally:
    analyses = analyzed.at_threshold(threshold).analyses
    masks = tuple(each and each.mask for each in analyses)
    truths = [each.truth for each in analyzed.stack.slices]
    both = [(m, t) for m, t in zip(masks, truths, strict=True) if m is not None and t is not None]
    counts = overlap.total(overlap.count(mask, truth) for mask, truth in both)
    return Tally(
        key=key,
        masks=masks,
        predicted=tuple(each and each.marked_pixels for each in analyses),
        true=tuple(None if truth is None else int(np.count_nonzero(truth)) for truth in truths),
        dice=overlap.dice(counts),
        scored=len(both),
    )
