"""The content of model cards, and the labels of its parts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from btmodels.registry import ModelSpec, Record

SUBSETS = {
    "train": "trained on",
    "validation": "validation",
    "test": "never seen",
    "reference": "never seen, reference",
    "samples": "synthetic",
}
"""Labels of subsets, in column order."""

JUDGES = ("test", "reference", "validation", "samples")
"""Subsets by the weight of their scores; a card reports the failures of the first available one."""

WAYS = {
    "": "alone",
    "cascade.": "cascade",
    "whole_patient.": "whole patient",
}
"""Labels of the ways to make a mask, by the prefix of their score keys."""


@dataclass(frozen=True)
class Figure:
    """A score that cards report.

    Attributes:
        key: Key in a subset's scores; a dot leads one level down.
        kind: Metric type on model hubs.
        label: Name for people.
        digits: Digits after the decimal point.
    """

    key: str
    kind: str
    label: str
    digits: int = 3


FIGURES = {
    "segment": (
        Figure("mean_dice", "dice", "Mean Dice per patient"),
        Figure("median_dice", "dice", "Median Dice per patient"),
        Figure("mean_iou", "iou", "Mean IoU (Jaccard) per patient"),
        Figure("tumor_slice_dice", "dice", "Mean Dice on slices with tumor"),
        Figure("pooled_dice", "dice", "Dice of all pixels together"),
        Figure("hausdorff95", "hausdorff_distance_95", "95% Hausdorff distance, pixels", 1),
        Figure("detection_rate", "detection_rate", "Tumor found, share of patients"),
        Figure(
            "false_alarm_rate", "false_alarm_rate", "False alarms, share of slices without tumor"
        ),
        Figure("calibration.error", "calibration_error", "Calibration error of pixels"),
        Figure("verdict.auc", "roc_auc", "Verdict on a slice alone: AUC"),
        Figure(
            "verdict.sensitivity_at_95_specificity",
            "recall",
            "Verdict on a slice alone: sensitivity at 95% specificity",
        ),
        Figure("pixel_accuracy", "pixel_accuracy", "Pixel accuracy", 4),
        Figure("empty_mask_accuracy", "pixel_accuracy", "Pixel accuracy of an empty mask", 4),
    ),
    "classify": (
        Figure("auc", "roc_auc", "AUC"),
        Figure("average_precision", "average_precision", "Average precision"),
        Figure("accuracy", "accuracy", "Accuracy"),
        Figure("sensitivity_at_95_specificity", "recall", "Sensitivity at 95% specificity"),
        Figure("calibration_error", "calibration_error", "Calibration error"),
    ),
}
"""Figures by task."""


@dataclass(frozen=True)
class Facts:
    """The content of a card.

    Attributes:
        spec: The network's row of the registry.
        record: The record of its weights.
        weights: Their files, as returned by `btmodels.registry.weights_files`.
        scored: Scores of exactly these weights, by subset.
        stale: Subsets whose scores belong to other weights.
        split: Folder names by subset.
        verdicts: Rows of ``detection.json`` on a segmenter's verdict by cross-validation, alone and with
            neighbors; empty for other networks.
        bench: Values of ``bench.json`` for this network, by the last part of their names.
        machine: The machine of the benchmark.
    """

    spec: ModelSpec
    record: Record
    weights: dict[str, Path]
    scored: dict[str, dict[str, Any]]
    stale: tuple[str, ...]
    split: dict[str, list[str]]
    verdicts: list[dict[str, Any]]
    bench: dict[str, dict[str, Any]]
    machine: str

    @property
    def evaluation_subset(self) -> str | None:
        """The subset whose scores count most."""
        return next((subset for subset in JUDGES if subset in self.scored), None)


def slices_of(scored: dict[str, Any]) -> tuple[int, int]:
    """Return the number of scored slices, and how many of them show tumor."""
    each = scored["patients"].values()
    slices = sum(entry["slices"] for entry in each)
    if "empty_slices" in scored:
        return slices, slices - scored["empty_slices"]
    return slices, sum(entry["tumor_slices"] for entry in each)
