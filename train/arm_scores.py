"""How the segmenters of an experiment are scored: at the slices' own size, by patient."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np

from btmodels import metrics
from btmodels.intervals import bootstrap_interval, grouped_interval
from btmodels.metrics import Counts
from train.choose import predict_logits
from train.data import Subset


def score_segmenter(probability: np.ndarray, slices: Subset, threshold: float = 0.5) -> dict:
    """Score probability maps at the slices' own size.

    Args:
        probability: float, (n, size, size).
        slices: The same n slices.
        threshold: On the probability.

    Returns:
        ``mean_dice`` and ``median_dice`` (volumetric, of patients) with ``mean_dice_interval``,
        ``tumor_slice_dice`` and ``pooled_dice`` with intervals over patients, ``false_alarm_rate``,
        ``precision``, ``recall`` (pooled), ``slices``, ``patients`` (by folder, its Dice).
    """
    masks, truth = probability >= threshold, slices.masks > 127
    found: dict[str, list[Counts]] = {}
    for mask, true, name in zip(masks, truth, slices.patients, strict=True):
        found.setdefault(str(name), []).append(metrics.count(mask, true))
    volumetric = {name: metrics.dice(metrics.total(each)) for name, each in found.items()}
    groups = list(found.values())
    every = [each for group in groups for each in group]
    empty = [each for each in every if not each.tp + each.fn]
    pooled = metrics.total(every)
    return {
        "mean_dice": metrics.mean_of(volumetric.values()),
        "mean_dice_interval": bootstrap_interval(list(volumetric.values())),
        "median_dice": metrics.median_of(volumetric.values()),
        "tumor_slice_dice": _tumor_slice_dice(groups),
        "tumor_slice_dice_interval": grouped_interval(groups, _tumor_slice_dice, 500),
        "pooled_dice": metrics.dice(pooled),
        "pooled_dice_interval": grouped_interval(
            [metrics.total(group) for group in groups], lambda c: metrics.dice(metrics.total(c))
        ),
        "false_alarm_rate": sum(each.fp > 0 for each in empty) / len(empty) if empty else None,
        "precision": metrics.precision(pooled),
        "recall": metrics.recall(pooled),
        "slices": len(every),
        "patients": volumetric,
    }


def _tumor_slice_dice(groups: Sequence[Sequence[Counts]]) -> float | None:
    return metrics.mean_of(metrics.dice(c) for group in groups for c in group if c.tp + c.fn)


def segmenter_score(slices: Subset) -> Callable[[keras.Model], float]:
    """Return a validation for `train_arm`: volumetric Dice, mean of patients, at threshold 0.5."""

    def score(model: keras.Model) -> float:
        probability = predict_logits(model, slices)[..., 0] >= 0
        return score_quickly(probability, slices)

    return score


def score_quickly(masks: np.ndarray, slices: Subset) -> float:
    """Mean over patients of the volumetric Dice; 0 where it is undefined."""
    truth, names = slices.masks > 127, np.array(slices.patients)
    each = (
        metrics.dice(metrics.count(masks[names == name], truth[names == name]))
        for name in dict.fromkeys(slices.patients)
    )
    return metrics.mean_of(each) or 0.0


def every(slices: Subset, step: int) -> Subset:
    """Return each ``step``-th slice: enough for a curve, at a fraction of the time."""
    return slices.take(np.arange(0, len(slices.pixels), step))
