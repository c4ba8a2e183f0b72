"""The slices that experiments share, and the role of each patient."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.errors import CohortError
from train.dataset.split import draw
from train.fit.subset import Subset, read_subset
from train.provenance import write_npz


@dataclass(frozen=True, eq=False)
class Dataset:
    """All available slices except the reference patients', and the role of each patient.

    Attributes:
        slices: Slices of all patients.
        split: Folder names by ``train``, ``validation`` and ``test``.
        folds: Folder names of the folds.
        split_sha256: SHA-256 of the project's split; None if one was drawn for other data.
        synthetic: Whether the patients are synthetic.
        sha256: SHA-256 of pixels and masks.
    """

    slices: Subset
    split: dict[str, list[str]]
    folds: list[list[str]]
    split_sha256: str | None
    synthetic: bool
    sha256: str

    @property
    def choosing(self) -> list[str]:
        """Folder names of the patients on whom something may be chosen: all but the test patients."""
        return [*self.split["train"], *self.split["validation"]]

    def held_out(self, quick: bool) -> list[list[str]]:
        """Return the folds to evaluate; with ``--quick`` two."""
        return [fold for fold in self.folds if fold][: 2 if quick else None]

    def outside(self, fold: Collection[str]) -> list[str]:
        """Return the folder names of all patients in the other folds."""
        return [name for each in self.folds for name in each if name not in set(fold)]

    def of(self, folders: Collection[str]) -> Subset:
        """Return the slices of some patients."""
        return self.slices.take(np.isin(self.slices.patients, list(folders)))

    def subset(self, name: str) -> Subset:
        """Return the slices of ``train``, ``validation`` or ``test``."""
        return self.of(self.split[name])


def source_assets(args: argparse.Namespace) -> Path:
    """Return the folder of the valid split and weights: the output folder, or the committed one if that
    has no split."""
    own = (args.assets / "splits" / "patients.json").exists()
    return args.assets if own else paths.ASSETS


def load_dataset(args: argparse.Namespace) -> Dataset:
    """Read all patients' slices once; a copy in ``runs`` serves the next experiment.

    The project's split applies if the data folder has patients of each of its subsets; for other data,
    such as the synthetic cohort, a split by patient is drawn. Reference patients are never opened.

    Raises:
        CohortError: The folder has no patients, or too few to split.
    """
    assets = source_assets(args)
    committed = cohort.load_split(assets)
    patients = [p for p in cohort.read_cohort(args.data) if p.folder not in committed["reference"]]
    folders = {p.folder for p in patients}
    known = all(folders & set(committed[name]) for name in ("train", "validation", "test"))
    if known:
        kept = [f for name in ("train", "validation", "test") for f in committed[name]]
        patients = [p for p in patients if p.folder in kept]
        split, folds = committed, cohort.load_folds(assets)
        sha256 = cohort.split_sha256(assets)
    else:
        split = draw(sorted(folders), args.seed, validation=0.2, test=0.25)
        folds, sha256 = split["folds"], None
    slices = _read(patients, args.size, args.runs / "experiments")
    return Dataset(
        slices,
        {name: list(split[name]) for name in ("train", "validation", "test")},
        [list(fold) for fold in folds],
        sha256,
        all(folder.startswith("SYNT_") for folder in folders),
        slices.sha256(),
    )


def _read(patients: Collection, size: int, folder: Path) -> Subset:
    listed = [
        (str(path.name), path.stat().st_size, path.stat().st_mtime_ns)
        for patient in patients
        for file in patient.files
        for path in filter(None, (file.image, file.mask))
    ]
    if not listed:
        raise CohortError("These patients have no slices.")
    stamp = hashlib.sha256(repr(listed).encode()).hexdigest()[:12]
    path = folder / f"slices-{size}-{stamp}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as kept:
            return Subset(
                kept["pixels"], kept["masks"], tuple(kept["patients"]), tuple(kept["numbers"])
            )
    slices = read_subset(patients, size)
    write_npz(path, compressed=False, **vars(slices))
    return slices
