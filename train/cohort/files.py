"""Write a cohort in the data set's layout, with its provenance and its measurements."""

from __future__ import annotations

import csv
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import tifffile

from btmodels.dataset.cohort import FOLDER, PATIENT_KEY
from train.cohort.figures import DECILES, MARGIN, PatientFigures, Reference, best_threshold
from train.cohort.patients import SyntheticPatient
from train.cohort.render import Rendered
from train.provenance import command_line

COLUMNS = (
    "Patient", "RNASeqCluster", "MethylationCluster", "miRNACluster", "CNCluster", "RPPACluster",
    "OncosignCluster", "COCCluster", "histological_type", "neoplasm_histologic_grade",
    "tumor_tissue_site", "laterality", "tumor_location", "gender", "age_at_initial_pathologic",
    "race", "ethnicity", "death01",
)  # fmt: skip
"""Columns of data.csv, in the data set's order."""

CENTRAL_NERVOUS_SYSTEM = 1
_PACKAGES = ("numpy", "scipy", "scikit-image", "nilearn", "opencv-python-headless", "tifffile")


def folder_name(number: int) -> str:
    """Return the folder of the ``number``-th patient, from 1; its first 12 characters are unique."""
    return f"SYNT_AA_{number:04d}_20260101"


def write_patient(root: Path, folder: str, rendered: Rendered) -> None:
    """Write slices and masks as ``<folder>_<n>.tif`` and ``<folder>_<n>_mask.tif``, n from 1."""
    parent = root / FOLDER / folder
    parent.mkdir(parents=True, exist_ok=True)
    for old in parent.glob(f"{folder}_*.tif"):
        old.unlink()
    for number, (pixels, mask) in enumerate(
        zip(rendered.pixels, rendered.masks, strict=True), start=1
    ):
        stem = parent / f"{folder}_{number}"
        _write_tiff(stem.with_name(f"{stem.name}.tif"), pixels, "rgb")
        _write_tiff(
            stem.with_name(f"{stem.name}_mask.tif"), mask.astype(np.uint8) * 255, "minisblack"
        )


def _write_tiff(path: Path, values: np.ndarray, photometric: str) -> None:
    tifffile.imwrite(
        path,
        values,
        photometric=photometric,
        compression="deflate",
        compressionargs={"level": 7},
        predictor=values.ndim == 3,
        software=None,
        metadata=None,
        description="synthetic" if photometric == "rgb" else "synthetic, mask",
    )


def write_table(root: Path, patients: dict[str, SyntheticPatient]) -> None:
    """Write data.csv with the side and location of the lesion; all other fields stay empty."""
    path = root / FOLDER / "data.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", delimiter=";", lineterminator="\n")
        table.writeheader()
        for folder, patient in patients.items():
            row = {"Patient": folder[:PATIENT_KEY]}
            if patient.plans:
                row["tumor_tissue_site"] = CENTRAL_NERVOUS_SYSTEM
                row["laterality"] = patient.laterality
                row["tumor_location"] = patient.location
            table.writerow(row)


def describe(
    patients: dict[str, SyntheticPatient],
    measured: dict[str, PatientFigures],
    reference: Reference,
    seed: int,
    patient_seeds: dict[str, list[int]],
    words: Sequence[str],
) -> dict:
    """Return the content of cohort.json: provenance and measurements."""
    threshold, score = best_threshold(list(measured.values()))
    low, high = np.array(reference.low), np.array(reference.high)
    described = {}
    for folder, figures in measured.items():
        patient = patients[folder]
        areas = [area for area in figures.lesion_pixels if area]
        inside = (figures.deciles >= low) & (figures.deciles <= high)
        described[folder] = {
            "description": patient.description,
            "seed": patient_seeds[folder],
            "slices": len(figures.lesion_pixels),
            "slices_with_lesion": len(areas),
            "least_lesion_pixels": min(areas, default=0),
            "most_lesion_pixels": max(areas, default=0),
            "channels_replaced_by_flair": [("pre", "flair", "post")[c] for c in patient.stand_ins],
            "deciles": {
                name: row.tolist()
                for name, row in zip(("pre", "flair", "post"), figures.deciles, strict=True)
            },
            "deciles_within_range": bool(inside.all()),
        }
    return {
        "synthetic": True,
        "what": "made-up patients: no pixel comes from a patient's scan",
        "command": command_line(words),
        "seed": seed,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in _PACKAGES},
        "hardness": {
            "best_flair_threshold": threshold,
            "best_flair_threshold_dice": round(score, 4),
            "lgg_validation_threshold": reference.threshold,
            "lgg_validation_threshold_dice": reference.threshold_dice,
            "at_most_above": MARGIN,
            "holds": bool(score <= reference.threshold_dice + MARGIN),
        },
        "decile_percents": list(DECILES),
        "deciles_within_range": all(p["deciles_within_range"] for p in described.values()),
        "patients": described,
    }
