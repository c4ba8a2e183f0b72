"""Score an experiment's segmenters by patient, at the slices' own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import keras
import numpy as np

from btmodels.metrics import classification, overlap
from btmodels.metrics.bootstrap import grouped_interval
from train.evaluate.scoring import headline
from train.fit.select import mean_dice
from train.fit.subset import Subset


def score_segmenter(probability: np.ndarray, slices: Subset, threshold: float = 0.5) -> dict:
    """Score probability maps at the slices' own size.

    Args:
        probability: float, (n, size, size).
        slices: The same n slices.
        threshold: Probability at which to cut.

    Returns:
        The figures of `train.evaluate.scoring.headline`, ``pooled_dice`` with its interval over patients,
        ``precision``, ``recall`` (pooled), ``slices``, ``patients`` (by folder, its Dice),
        ``hausdorff95`` (mean of patients) and ``borders`` (by folder, the mean 95% Hausdorff distance of
        its slices on which both mark something, in pixels of these slices).
    """
    found = overlap.count_by_patient(probability >= threshold, slices.masks > 127, slices.patients)
    volumes = [overlap.total(each) for each in found.values()]
    pooled = overlap.total(volumes)
    borders = _borders(probability >= threshold, slices)
    return {
        **headline([*found.values()]),
        "pooled_dice": overlap.dice(pooled),
        "pooled_dice_interval": grouped_interval(volumes, lambda c: overlap.dice(overlap.total(c))),
        "precision": overlap.precision(pooled),
        "recall": overlap.recall(pooled),
        "slices": len(slices.pixels),
        "patients": overlap.patient_dice(found),
        "hausdorff95": overlap.mean_of(borders.values()),
        "borders": borders,
    }


def _borders(masks: np.ndarray, slices: Subset) -> dict[str, float | None]:
    apart: dict[str, list[float | None]] = {}
    for folder, mask, truth in zip(slices.patients, masks, slices.masks > 127, strict=True):
        apart.setdefault(str(folder), []).append(overlap.hausdorff95(mask, truth))
    return {folder: overlap.mean_of(each) for folder, each in apart.items()}


def segmenter_score(slices: Subset) -> Callable[[keras.Model], float]:
    """Return a validation for `train_arm`: `mean_dice` on the slices; 0 if it is undefined."""
    return lambda model: mean_dice(model, slices) or 0.0


def every(slices: Subset, step: int) -> Subset:
    """Return each ``step``-th slice: enough for a curve, at a fraction of the time."""
    return slices.take(np.arange(0, len(slices.pixels), step))


def score_verdicts(probability: np.ndarray, labels: np.ndarray, patients: Sequence[str]) -> dict:
    """Score a classifier.

    Args:
        probability: float, (n,), of a tumor in each slice.
        labels: bool, (n,), whether it shows one.
        patients: The patient of each slice.

    Returns:
        ``auc`` with an interval over patients, ``average_precision``, ``accuracy`` at 0.5, and the number
        of ``slices``.
    """
    names = np.array(patients)
    groups = [
        (probability[names == name], labels[names == name]) for name in dict.fromkeys(patients)
    ]
    return {
        "auc": classification.roc_auc(probability, labels),
        "auc_interval": grouped_interval(
            groups, classification.over_groups(classification.roc_auc), 500
        ),
        "average_precision": classification.average_precision(probability, labels),
        "accuracy": float(((probability >= 0.5) == labels).mean()),
        "slices": len(labels),
    }
