"""The split by patient: training, validation, test and reference patients."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Literal

from btmodels import registry
from btmodels.errors import CohortError, WeightsError
from btmodels.json_files import read_json
from btmodels.paths import ASSETS

SUBSETS = ("train", "validation", "test", "reference")
"""Subsets of the split. Reference patients are never used for training or selection."""

_MISSING = "The split by patient, patients.json, is missing."

Provenance = Literal["train", "validation", "test", "reference", "synthetic", "unknown"]


def load_split(assets: Path = ASSETS) -> dict[str, list[str]]:
    """Read the split by patient: folder names for each of `SUBSETS`.

    Raises:
        CohortError: There is none, or a patient is in two subsets.
    """
    content = _split(assets)
    return {subset: list(content[subset]) for subset in SUBSETS}


def load_folds(assets: Path = ASSETS) -> list[list[str]]:
    """Read the five folds for cross-validation.

    Raises:
        CohortError: As for `load_split`.
    """
    return [list(fold) for fold in _split(assets).get("folds", [])]


def split_sha256(assets: Path = ASSETS) -> str:
    """Return the SHA-256 of the split's file, which weights and metrics record.

    Raises:
        CohortError: There is none.
    """
    try:
        return hashlib.sha256(_path(assets).read_bytes()).hexdigest()
    except OSError:
        raise CohortError(_MISSING) from None


def provenance(patient_folder: str, assets: Path = ASSETS) -> Provenance:
    """Return the subset of a patient, which says whether the networks were trained on them.

    Args:
        patient_folder: Name of the patient's folder.
        assets: Holds the split.

    Returns:
        The patient's subset, or "train" if the site's segmenter was trained on that subset;
        "synthetic" for the bundled cohort; "unknown" for anyone else.
    """
    if patient_folder.startswith("SYNT_"):
        return "synthetic"
    try:
        split = _split(assets)
    except CohortError:
        return "unknown"
    found = next((subset for subset in SUBSETS if patient_folder in split[subset]), "unknown")
    return "train" if found in _trained_on(assets) else found


def _trained_on(assets: Path) -> tuple[str, ...]:
    try:
        return registry.load_record("default", assets).training_subsets
    except WeightsError:
        return ("train",)


def _path(assets: Path) -> Path:
    return Path(assets) / "splits" / "patients.json"


def _split(assets: Path) -> dict[str, list]:
    try:
        content = read_json(_path(assets))
        everyone = [folder for subset in SUBSETS for folder in content[subset]]
    except FileNotFoundError:
        raise CohortError(_MISSING) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CohortError("The split by patient, patients.json, cannot be read.") from error
    twice = [folder for folder, times in Counter(everyone).items() if times > 1]
    if twice:
        raise CohortError(f"The split by patient has {twice[0]} in two subsets.")
    return content
