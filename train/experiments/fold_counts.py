"""The counts of a fold from which cross-validation figures are made; they contain no pixels.

Training a fold takes long, and its maps stay in ``runs`` on the machine that trained it. So its counts
go into ``assets/metrics/folds/RUN-fold-NUMBER.npz``: with these files, any machine can continue with the
other folds and choose settings again.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btmodels.measurement.verdict import ALONE, LOGITS, WITH_NEIGHBORS, top_log_odds
from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts, count
from btmodels.transforms.postprocess import binarize, drop_small_parts, quantized_threshold, sigmoid
from train.evaluate.calibration import count_probabilities
from train.fit.select import (
    CLEAN_UPS,
    FOLD_MARGIN,
    fewest_alarms,
    fit_temperature,
    fit_verdict,
    fit_verdict_with_neighbors,
)
from train.fit.stacks import by_patient
from train.provenance import write_npz

THRESHOLDS = tuple(round(float(each), 2) for each in np.arange(0.05, 0.71, 0.05))
"""Thresholds of masks that are tried, on probabilities before any temperature."""

HALF = THRESHOLDS.index(0.5)


@dataclass(frozen=True, eq=False)
class Maps:
    """Probability maps of a fold's slices, at their own size.

    Attributes:
        probability_maps: uint8, (n, rows, cols), probability in 255ths, before any temperature.
        truth: bool, the same shape.
        patients: Folder of each slice's patient.
        numbers: The number in each slice's file name.
    """

    probability_maps: np.ndarray
    truth: np.ndarray
    patients: tuple[str, ...]
    numbers: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class FoldCounts:
    """Counts of a fold's slices, patient by patient in stack order.

    Attributes:
        run: Name of the run's folder, which identifies everything that the counts depend on.
        facts: Facts of the fold's training (see `train.experiments.crossval`).
        patients: Folder of each slice's patient.
        numbers: The number in each slice's file name.
        marked: int32, (n, thresholds, clean-ups, 2): true and false positive pixels at each of
            `THRESHOLDS`, after each of `train.fit.select.CLEAN_UPS`.
        tumor: int32, (n,), true tumor pixels.
        pixels: int32, (n,), all pixels.
        whole_patient: int32, (n, 2): as ``marked``, at 0.5, after the whole-patient clean-up.
        log_odds: float32, (n,), from `btmodels.measurement.verdict.top_log_odds`.
        histogram: int64, (patients, 2, 256): pixels without and with tumor by level, in the order of
            `folders`.
    """

    run: str
    facts: dict[str, Any]
    patients: tuple[str, ...]
    numbers: tuple[int, ...]
    marked: np.ndarray
    tumor: np.ndarray
    pixels: np.ndarray
    whole_patient: np.ndarray
    log_odds: np.ndarray
    histogram: np.ndarray

    @property
    def folders(self) -> tuple[str, ...]:
        """The patients' folders, without repeats."""
        return tuple(dict.fromkeys(self.patients))

    def by_threshold(self, clean_up: int = 0) -> dict[str, list[list[Counts]]]:
        """Return counts by folder, by threshold, by slice.

        Args:
            clean_up: Index into `train.fit.select.CLEAN_UPS`.
        """
        return {
            folder: [
                [self._counts(each, *self.marked[each, index, clean_up]) for each in own]
                for index in range(len(THRESHOLDS))
            ]
            for folder, own in by_patient(self).items()
        }

    def cleaned(self) -> dict[str, list[Counts]]:
        """Return counts by folder and slice after the whole-patient clean-up."""
        return {
            folder: [self._counts(index, *self.whole_patient[index]) for index in own]
            for folder, own in by_patient(self).items()
        }

    def scores(self) -> dict[str, dict[str, Any]]:
        """Return the slices' tumor scores, for `train detect`.

        Returns:
            By folder ``fold`` and, in stack order, ``numbers`` of the slices, ``tumor`` (0 or 1)
            and ``log_odds``.
        """
        return {
            folder: {
                "fold": self.facts["fold"],
                "numbers": [self.numbers[index] for index in own],
                "tumor": [int(self.tumor[index] > 0) for index in own],
                "log_odds": [round(float(self.log_odds[index]), 4) for index in own],
            }
            for folder, own in by_patient(self).items()
        }

    def _counts(self, index: int, tp: int, fp: int) -> Counts:
        tumor, pixels = int(self.tumor[index]), int(self.pixels[index])
        return Counts(int(tp), int(fp), tumor - int(tp), pixels - tumor - int(fp))


def count_fold(
    maps: Maps, run: str, facts: dict[str, Any], clean_ups: Sequence[int] = CLEAN_UPS
) -> FoldCounts:
    """Count everything that the figures need.

    Args:
        maps: The fold's maps.
        run: Name of the run's folder.
        facts: Facts of the fold's training.
        clean_ups: Sizes of the smallest parts to keep, the first 0.
    """
    slices_of = by_patient(maps)
    order = np.concatenate([*slices_of.values()])
    probability_maps, truth = maps.probability_maps[order], maps.truth[order]
    masks = probability_maps >= quantized_threshold(THRESHOLDS[HALF])
    owners = np.array(maps.patients)[order]
    cleaned = [
        mask for folder in slices_of for mask in drop_small_parts(list(masks[owners == folder]))
    ]
    marked = [
        [[count(binarize(map_, at, parts), true)[:2] for parts in clean_ups] for at in THRESHOLDS]
        for map_, true in zip(probability_maps, truth, strict=True)
    ]
    histogram = [
        count_probabilities(maps.probability_maps[own], maps.truth[own])
        for own in slices_of.values()
    ]
    return FoldCounts(
        run,
        facts,
        tuple(map(str, owners)),
        tuple(int(maps.numbers[index]) for index in order),
        np.array(marked, np.int32),
        np.array([true.sum() for true in truth], np.int32),
        np.array([true.size for true in truth], np.int32),
        np.array([count(*each)[:2] for each in zip(cleaned, truth, strict=True)], np.int32),
        np.array([top_log_odds(each) for each in probability_maps], np.float32),
        np.array(histogram, np.int64),
    )


def keep_counts(counts: FoldCounts, path: Path) -> None:
    """Write a fold's counts."""
    write_npz(path, **vars(counts) | {"facts": json.dumps(counts.facts)})


def read_counts(path: Path, run: str) -> FoldCounts | None:
    """Read the counts written by `keep_counts`; None if there are none of this run."""
    if not path.exists():
        return None
    with np.load(path, allow_pickle=False) as kept:
        content = {name: kept[name] for name in kept.files}
    if str(content["run"]) != run:
        return None
    return FoldCounts(
        **content
        | {
            "run": run,
            "facts": json.loads(str(content["facts"])),
            "patients": tuple(map(str, content["patients"])),
            "numbers": tuple(map(int, content["numbers"])),
        }
    )


def by_threshold(counted: dict[str, list[list[Counts]]]) -> list[dict[str, float]]:
    """Return ``probability``, patients' ``mean_dice`` and ``false_alarm_rate`` at each of `THRESHOLDS`."""
    rows = []
    for index, probability in enumerate(THRESHOLDS):
        patients = {folder: counts[index] for folder, counts in counted.items()}
        alarms = overlap.false_alarm_rate(c for slices in patients.values() for c in slices)
        rows.append(
            {
                "probability": probability,
                "mean_dice": round(overlap.mean_of(overlap.patient_dice(patients).values()), 6),
                "false_alarm_rate": round(alarms or 0.0, 6),
            }
        )
    return rows


def choose_settings(folds: Sequence[FoldCounts], choosing: Collection[str]) -> dict | None:
    """Choose a record's settings from out-of-fold predictions (compare `train.fit.select`).

    Args:
        folds: Counts of each fold.
        choosing: Folders of the patients to choose on; no test patients.

    Returns:
        ``threshold`` (after the temperature), ``temperature``, ``flips`` (always true: maps are means of
        both views), ``min_component_pixels``, ``verdict`` and ``verdict_with_neighbors`` (fields of a
        `btmodels.measurement.verdict.VerdictRule`, or None), ``fold_dice``, ``fold_false_alarm_rate``,
        ``fold_patients``; None without patients.
    """
    pixels = [
        fold.histogram[index]
        for fold in folds
        for index, folder in enumerate(fold.folders)
        if folder in choosing
    ]
    if not pixels:
        return None
    total = np.sum(pixels, axis=0)
    temperature = fit_temperature(
        np.tile(LOGITS, 2), np.repeat([False, True], 256), weights=total.ravel()
    )
    tried = []
    for clean_up, parts in enumerate(CLEAN_UPS):
        counted = {
            folder: counts
            for fold in folds
            for folder, counts in fold.by_threshold(clean_up).items()
            if folder in choosing
        }
        tried += [{**row, "parts": parts} for row in by_threshold(counted)]
    best = max(row["mean_dice"] for row in tried)
    good = [row for row in tried if row["mean_dice"] >= best - FOLD_MARGIN]
    row = min(
        good, key=lambda row: fewest_alarms(row["false_alarm_rate"], row["parts"], row["mean_dice"])
    )
    odds = np.log(row["probability"] / (1 - row["probability"]))
    return {
        "threshold": round(float(sigmoid(np.array(odds / temperature))), 4),
        "temperature": temperature,
        "flips": True,
        "min_component_pixels": row["parts"],
        **fit_verdicts(folds, choosing, temperature),
        "fold_dice": row["mean_dice"],
        "fold_false_alarm_rate": row["false_alarm_rate"],
        "fold_patients": len(pixels),
    }


def fit_verdicts(
    folds: Sequence[FoldCounts], choosing: Collection[str], temperature: float
) -> dict[str, dict[str, float] | None]:
    """Fit the rules of a record for the verdict on a slice alone and with neighbors, by their keys.

    Args:
        folds, choosing: As for `choose_settings`.
        temperature: Of the record.
    """
    own = [
        (fold, indices)
        for fold in folds
        for folder, indices in by_patient(fold).items()
        if folder in choosing
    ]
    # The site takes the score after the temperature, which divides log-odds.
    scores = [fold.log_odds[indices] / temperature for fold, indices in own]
    labels = [fold.tumor[indices] > 0 for fold, indices in own]
    return {
        ALONE: fit_verdict(np.concatenate(scores), np.concatenate(labels)),
        WITH_NEIGHBORS: fit_verdict_with_neighbors(scores, labels),
    }
