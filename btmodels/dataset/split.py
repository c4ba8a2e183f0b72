"""The split by patient: who was trained on, who chose, who only tests."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Literal

from btmodels.errors import CohortError
from btmodels.paths import ASSETS

SUBSETS = ("train", "validation", "test", "reference")
"""Of the split. Reference patients are never trained on and never selected by."""

Provenance = Literal["train", "validation", "test", "reference", "synthetic", "unknown"]


def load_split(assets: Path = ASSETS) -> dict[str, list[str]]:
    """Read the split by patient: folder names by subset, see `SUBSETS`.

    Raises:
        CohortError: There is none, or a patient is in two subsets.
    """
    content = _split(*_stamp(assets))
    return {subset: list(content[subset]) for subset in SUBSETS}


def load_folds(assets: Path = ASSETS) -> list[list[str]]:
    """Read the five folds of the patients at hand, for cross-validation.

    Raises:
        CohortError: As for `load_split`.
    """
    return [list(fold) for fold in _split(*_stamp(assets)).get("folds", [])]


def split_sha256(assets: Path = ASSETS) -> str:
    """Return the SHA-256 of the split's file, to which weights and metrics are bound.

    Raises:
        CohortError: There is none.
    """
    return hashlib.sha256(_stamp(assets)[0].read_bytes()).hexdigest()


def provenance(patient_folder: str, assets: Path = ASSETS) -> Provenance:
    """Tell whether the networks have met a patient.

    Args:
        patient_folder: Name of the patient's folder.
        assets: Holds the split.

    Returns:
        The patient's subset; "synthetic" for the bundled cohort; "unknown" for anyone else.
    """
    if patient_folder.startswith("SYNT_"):
        return "synthetic"
    try:
        split = _split(*_stamp(assets))
    except CohortError:
        return "unknown"
    return next((subset for subset in SUBSETS if patient_folder in split[subset]), "unknown")


def _stamp(assets: Path) -> tuple[Path, int]:
    path = Path(assets) / "splits" / "patients.json"
    try:
        return path, path.stat().st_mtime_ns
    except OSError:
        raise CohortError("The split by patient, patients.json, is missing.") from None


@lru_cache(maxsize=8)
def _split(path: Path, mtime_ns: int) -> dict[str, list]:
    # Keyed by time too: badges ask for every slice, and a stat is all that it should cost.
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        everyone = [folder for subset in SUBSETS for folder in content[subset]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CohortError("The split by patient, patients.json, cannot be read.") from error
    twice = [folder for folder, times in Counter(everyone).items() if times > 1]
    if twice:
        raise CohortError(f"The split by patient has {twice[0]} in two subsets.")
    return content
