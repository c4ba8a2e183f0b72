"""The figures that a cohort must meet: intensity deciles in the head, and the best FLAIR threshold.

Measuring needs none of the packages that making a cohort needs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels.dataset.cohort import find_root, load_split, read_cohort, read_slice
from btmodels.slices import FLAIR, Patient, Slice
from btmodels.transforms.postprocess import head_mask
from train.provenance import command_line, write_json

DECILES = tuple(range(10, 100, 10))
MARGIN = 0.10
"""Largest allowed excess in Dice of the best threshold on the synthetic cohort over validation."""


@dataclass(frozen=True)
class Reference:
    """Figures of real patients; nothing else about them is kept.

    Attributes:
        low, high: Least and greatest value of each decile over the training patients, (3, 9), levels.
        threshold: FLAIR level that scores best on the validation patients.
        threshold_dice: Mean volumetric Dice of that threshold over those patients.
    """

    low: tuple[tuple[float, ...], ...]
    high: tuple[tuple[float, ...], ...]
    threshold: int
    threshold_dice: float


@dataclass(frozen=True, eq=False)
class PatientFigures:
    """One patient's figures.

    Attributes:
        deciles: Deciles of each channel within the head over all slices, (3, 9), levels.
        flair, flair_in_truth: Pixels at each FLAIR level, all and those in the true mask, (256,) each.
        lesion_pixels: Pixels of the mask in each slice.
    """

    deciles: np.ndarray
    flair: np.ndarray
    flair_in_truth: np.ndarray
    lesion_pixels: tuple[int, ...]


def measure_patient(slices: Iterable[Slice]) -> PatientFigures:
    """Measure one patient's slices and true masks."""
    levels = np.zeros((3, 256), np.int64)
    flair, truth = np.zeros(256, np.int64), np.zeros(256, np.int64)
    pixels = []
    for slice in slices:
        head = head_mask(slice.pixels)
        for channel in range(3):
            levels[channel] += np.bincount(slice.pixels[..., channel][head], minlength=256)
        mask = np.zeros(head.shape, bool) if slice.truth is None else slice.truth
        flair += np.bincount(slice.pixels[..., FLAIR].ravel(), minlength=256)
        truth += np.bincount(slice.pixels[..., FLAIR][mask], minlength=256)
        pixels.append(int(np.count_nonzero(mask)))
    deciles = np.array([_deciles(counts) for counts in levels])
    return PatientFigures(deciles, flair, truth, tuple(pixels))


def _deciles(counts: np.ndarray) -> np.ndarray:
    """Return deciles of a histogram: the lowest level with at least that share of pixels at or below it."""
    share = np.cumsum(counts) / max(int(counts.sum()), 1)
    return np.searchsorted(share, np.array(DECILES) / 100).astype(float)


def best_threshold(patients: Sequence[PatientFigures]) -> tuple[int, float]:
    """Find the FLAIR level whose mask (level or brighter) scores best.

    Patients without a lesion have no volumetric Dice and are left out.

    Returns:
        The level, and its mean volumetric Dice over patients, 0 to 1.
    """
    curves = []
    for patient in patients:
        hits = np.cumsum(patient.flair_in_truth[::-1])[::-1]
        marked = np.cumsum(patient.flair[::-1])[::-1]
        if hits[0]:
            curves.append(2 * hits / (marked + hits[0]))
    mean = np.mean(curves, 0)
    return int(np.argmax(mean)), float(mean.max())


def measure_folder(root: Path, names: Sequence[str] | None = None) -> dict[str, PatientFigures]:
    """Measure the patients of a data folder; all of them if ``names`` is None."""
    wanted = None if names is None else set(names)
    patients = [p for p in read_cohort(root) if wanted is None or p.folder in wanted]
    return {patient.folder: measure_patient(_slices(patient)) for patient in patients}


def _slices(patient: Patient) -> Iterable[Slice]:
    return (read_slice(patient, file) for file in patient.files)


def measure_reference(data: Path, assets: Path, path: Path, words: Sequence[str]) -> None:
    """Measure real patients and write the cohort's targets: ranges and one score, no pixels."""
    split, root = load_split(assets), find_root(data)
    train = measure_folder(root, split["train"])
    validation = measure_folder(root, split["validation"])
    deciles = np.stack([patient.deciles for patient in train.values()])
    threshold, score = best_threshold(list(validation.values()))
    content = {
        "command": command_line(words),
        "what": "least and greatest decile of each channel within the head over the training "
        "patients, and the best single FLAIR threshold's mean volumetric Dice over the "
        "validation patients",
        "channels": ["pre", "flair", "post"],
        "deciles": list(DECILES),
        "low": deciles.min(0).tolist(),
        "high": deciles.max(0).tolist(),
        "train_patients": len(train),
        "threshold": threshold,
        "threshold_dice": round(score, 4),
        "validation_patients": len(validation),
    }
    write_json(path, content)


def load_reference(path: Path) -> Reference:
    """Read the file written by `measure_reference`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    rows = {key: tuple(tuple(row) for row in content[key]) for key in ("low", "high")}
    return Reference(
        **rows, threshold=content["threshold"], threshold_dice=content["threshold_dice"]
    )
