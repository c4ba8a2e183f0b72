"""Probability maps of cross-validated segmenters, and the masks and figures made from them.

A fold's maps are in ``runs``, in ``fold-N/maps.npz``. Its masks, which `train associate` reads, are next to
them in ``fold-N/masks.npz`` with ``patients``, ``numbers`` and ``masks``, bits packed along the last axis.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from btmodels.slices import Patient
from btmodels.transforms.postprocess import RULE, quantized_threshold, sigmoid
from btmodels.transforms.preprocess import quantize, restore
from train.evaluate.scoring import headline
from train.experiments.fold_counts import (
    HALF,
    THRESHOLDS,
    FoldCounts,
    Maps,
    by_threshold,
    choose_settings,
)
from train.fit.select import predict_logits
from train.fit.subset import Subset
from train.provenance import write_npz


def both_views(model: keras.Model, slices: Subset) -> np.ndarray:
    """Return the mean probability of the original and mirrored slices, float, (n,) or (n, rows, cols)."""
    plain, mirrored = (sigmoid(predict_logits(model, slices, m)[..., 0]) for m in (False, True))
    return (plain + mirrored) / 2


def draw_maps(model: keras.Model, slices: Subset, patients: Mapping[str, Patient]) -> Maps:
    """Predict the maps of a fold.

    Args:
        model: A segmenter.
        slices: Slices of the fold's patients with their numbers, at the model's size or larger.
        patients: Patients by folder.
    """
    files = {(name, f.number): f for name, patient in patients.items() for f in patient.files}
    names = tuple(map(str, slices.patients))
    probability_maps, truths = [], []
    for map_, name, number in zip(both_views(model, slices), names, slices.numbers, strict=True):
        truth = cohort.read_slice(patients[name], files[name, number]).truth
        probability_maps.append(quantize(restore(map_, *truth.shape)))
        truths.append(truth)
    return Maps(
        np.stack(probability_maps), np.stack(truths), names, tuple(map(int, slices.numbers))
    )


def keep_maps(maps: Maps, path: Path) -> None:
    """Write a fold's maps."""
    write_npz(
        path,
        levels=maps.probability_maps,
        truth=np.packbits(maps.truth, axis=-1),
        patients=maps.patients,
        numbers=maps.numbers,
    )


def read_maps(path: Path) -> Maps:
    """Read the maps written by `keep_maps`."""
    with np.load(path, allow_pickle=False) as kept:
        probability_maps = kept["levels"]
        truth = np.unpackbits(kept["truth"], axis=-1, count=probability_maps.shape[-1]).astype(bool)
        return Maps(
            probability_maps,
            truth,
            tuple(map(str, kept["patients"])),
            tuple(map(int, kept["numbers"])),
        )


def keep_masks(maps: Maps, path: Path) -> None:
    """Write a fold's masks at threshold 0.5."""
    marked = maps.probability_maps >= quantized_threshold(THRESHOLDS[HALF])
    masks = np.packbits(marked, axis=-1)
    write_npz(path, patients=maps.patients, numbers=maps.numbers, masks=masks)


def read_masks(path: Path) -> dict[str, dict[int, np.ndarray]]:
    """Read the masks of a fold: by patient and slice number, bool, (rows, cols)."""
    found: dict[str, dict[int, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as kept:
        masks = np.unpackbits(kept["masks"], axis=-1).astype(bool)
        for name, number, mask in zip(kept["patients"], kept["numbers"], masks, strict=True):
            found.setdefault(str(name), {})[int(number)] = mask
    return found


def figures_of(counted: Sequence[FoldCounts], choosing: Collection[str]) -> dict:
    """Return a cross-validation's figures, with masks at threshold 0.5.

    ``chosen_cut`` has the figures with each fold at the best threshold for the other folds' patients,
    so that neither network nor threshold depends on the scored patients.

    Args:
        counted: Counts of each fold.
        choosing: Folders of the patients for choosing the site's threshold; no test patients.
    """
    at_thresholds = {
        folder: counts for fold in counted for folder, counts in fold.by_threshold().items()
    }
    cleaned = {folder: counts for fold in counted for folder, counts in fold.cleaned().items()}
    at_half = {folder: counts[HALF] for folder, counts in at_thresholds.items()}
    patients = {folder: overlap.score_patient(each) for folder, each in at_half.items()}
    thresholds = [_best_threshold(at_thresholds, without=fold) for fold in counted]
    elsewhere = [
        at_thresholds[folder][index]
        for index, fold in zip(thresholds, counted, strict=True)
        for folder in fold.folders
    ]
    by = {folder: at_thresholds[folder] for folder in sorted(set(choosing) & set(at_thresholds))}
    return {
        **headline(list(at_half.values())),
        "whole_patient": {"rule": RULE, **headline(list(cleaned.values()))},
        "chosen_cut": {
            "by_fold": [THRESHOLDS[index] for index in thresholds],
            **headline(elsewhere),
        },
        "settings": choose_settings(counted, choosing),
        "cuts": {"patients": len(by), "rows": by_threshold(by)} if by else None,
        "slice_scores": {k: scores for fold in counted for k, scores in fold.scores().items()},
        "patients": patients,
        "folds": [
            {
                **fold.facts,
                "mean_dice": overlap.mean_of(patients[folder]["dice"] for folder in fold.folders),
            }
            for fold in counted
        ],
    }


def _best_threshold(at_thresholds: Mapping[str, list[list[Counts]]], without: FoldCounts) -> int:
    """Return the index of the best threshold for all patients outside a fold; `HALF` if there are none."""
    others = {k: counts for k, counts in at_thresholds.items() if k not in set(without.patients)}
    rows = by_threshold(others) if others else []
    return max(range(len(rows)), key=lambda index: rows[index]["mean_dice"], default=HALF)
