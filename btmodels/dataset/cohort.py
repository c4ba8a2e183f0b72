"""Patients on disk, in the folder layout of the data set.

``kaggle_3m/<PATIENT>/<PATIENT>_<n>.tif`` with ``<PATIENT>_<n>_mask.tif`` beside it, and ``data.csv``.
Listing opens no slice; only `read_slice`, `read_slices` and `inspect` open files.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from btmodels.dataset.split import SUBSETS, load_folds, load_split, provenance, split_sha256
from btmodels.errors import CohortError, DecodeError
from btmodels.filenames import PATIENT
from btmodels.io.image import decode, decode_mask
from btmodels.io.limits import check_bytes
from btmodels.paths import ASSETS
from btmodels.slices import Patient, Slice, SliceFile

__all__ = [
    "SUBSETS",
    "data_root",
    "find_root",
    "inspect",
    "load_folds",
    "load_split",
    "provenance",
    "read_cohort",
    "read_patient_data",
    "read_slice",
    "read_slices",
    "samples_root",
    "split_sha256",
    "subset_patients",
]

FOLDER = "kaggle_3m"
DOWNLOADED = ASSETS.parent / "data" / "downloaded.txt"
"""Holds the path of the downloaded data set; written by `btmodels.dataset.download`."""

PATIENT_KEY = 12
"""Number of leading characters of a folder's name that form the patient's key in data.csv."""

_FILE = re.compile(r"_([0-9]{1,6})(_mask)?\.tif")
_LARGEST_CSV = 10_000_000


def data_root() -> Path | None:
    """Return the folder that ``BT_DATA_DIR`` names, or else the downloaded one, if any.

    If ``BT_DATA_DIR`` is set but empty, there is none.
    """
    named = os.environ.get("BT_DATA_DIR")
    if named is not None:
        return Path(named.strip()).expanduser() if named.strip() else None
    try:
        downloaded = Path(DOWNLOADED.read_text(encoding="utf-8").strip())
    except (OSError, ValueError):
        return None
    return downloaded if downloaded.is_dir() else None


def samples_root(assets: Path = ASSETS) -> Path:
    """Return the folder of the bundled synthetic cohort."""
    return Path(assets) / "samples" / FOLDER


def find_root(path: Path | str) -> Path:
    """Return the folder of patients: ``path`` itself, or the ``kaggle_3m`` in it.

    Raises:
        CohortError: It is neither.
    """
    path = Path(path)
    inner = path / FOLDER
    if inner.is_dir():
        return inner
    if not path.is_dir():
        raise CohortError(f"There is no data folder {path.name!r}.")
    if path.name != FOLDER and next(_patient_folders(path), None) is None:
        raise CohortError(_no_patient(path))
    return path


def read_cohort(root: Path | str) -> tuple[Patient, ...]:
    """List the patients of a folder by name, each with its slices by number and its problems.

    File names cannot reveal a broken file or a different size: `inspect` finds those.

    Args:
        root: From `find_root`, or any path that it accepts.

    Raises:
        CohortError: There is no patient.
    """
    root = find_root(root)
    inside = root.resolve()
    patients = tuple(_list_patient(folder, inside) for folder in sorted(_patient_folders(root)))
    if not patients:
        raise CohortError(_no_patient(root))
    return patients


def subset_patients(data: Path | str, subset: str, assets: Path = ASSETS) -> tuple[Patient, ...]:
    """List the patients of a data folder that belong to a subset of the split.

    Args:
        data: The folder ``kaggle_3m`` or the one that holds it.
        subset: One of `SUBSETS`.
        assets: Holds the split.

    Raises:
        ValueError: There is no such subset.
        CohortError: The folder holds none of its patients.
    """
    split = load_split(assets)
    if subset not in split:
        raise ValueError(f"A subset is one of {', '.join(split)}. Received: subset={subset!r}")
    wanted = set(split[subset])
    found = tuple(patient for patient in read_cohort(data) if patient.folder in wanted)
    if not found:
        raise CohortError(f"The data folder holds none of the {len(wanted)} {subset} patients.")
    return found


def read_slice(patient: Patient, file: SliceFile) -> Slice:
    """Read one slice with its true mask.

    A mask that is broken or has a different size is left out, and a note says so.

    Raises:
        DecodeError: The slice itself cannot be read.
    """
    each = decode(_read_bytes(file.image), file.image.name)
    truth, notes = None, each.notes
    if file.mask:
        try:
            truth = decode_mask(_read_bytes(file.mask), file.mask.name)
            _check_mask_size(file, each.pixels, truth)
        except DecodeError as error:
            truth, notes = None, (*notes, str(error))
    return replace(each, truth=truth, patient=patient.folder, number=file.number, notes=notes)


def read_slices(patient: Patient) -> tuple[tuple[Slice, ...], tuple[str, ...]]:
    """Read all of a patient's files.

    Returns:
        The slices that can be read, and the patient's problems, one sentence each.
    """
    slices, problems = [], list(patient.problems)
    for file in patient.files:
        try:
            each = read_slice(patient, file)
        except DecodeError as error:
            problems.append(str(error))
            continue
        slices.append(each)
        problems.extend(each.notes)
    sizes = Counter(each.pixels.shape[:2] for each in slices)
    if len(sizes) > 1:
        listed = ", ".join(f"{n} of {rows} x {cols}" for (rows, cols), n in sizes.most_common())
        problems.append(f"The slices of {patient.folder} differ in size: {listed}.")
    return tuple(slices), tuple(problems)


def inspect(patient: Patient) -> Patient:
    """Read all of a patient's files and return the patient with their problems added."""
    return replace(patient, problems=read_slices(patient)[1])


def read_patient_data(root: Path | str) -> dict[str, dict[str, str]]:
    """Read data.csv, separated by semicolons or commas.

    Returns:
        A row for each patient, keyed by the first 12 characters of the folder's name, without empty cells
        and rows that lack a key. Empty if there is no such file.

    Raises:
        CohortError: It is not a table with a column ``Patient``.
    """
    path = find_root(root) / "data.csv"
    if not path.is_file():
        return {}
    wrong = CohortError("data.csv is not a table with a column Patient.")
    try:
        if path.stat().st_size > _LARGEST_CSV:
            raise wrong
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        separator = ";" if lines and ";" in lines[0] else ","
        rows = list(csv.DictReader(lines, delimiter=separator))
    except (OSError, ValueError, csv.Error) as error:
        raise wrong from error
    if not rows or "Patient" not in rows[0]:
        raise wrong
    cells = [
        {k: v.strip() for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}
        for row in rows
    ]
    return {
        row["Patient"][:PATIENT_KEY]: {k: v for k, v in row.items() if v and k != "Patient"}
        for row in cells
        if row.get("Patient")
    }


def _patient_folders(root: Path) -> Iterator[Path]:
    try:
        with os.scandir(root) as entries:
            for entry in entries:
                if PATIENT.fullmatch(entry.name) and entry.is_dir():
                    yield root / entry.name
    except OSError as error:
        raise CohortError(f"The data folder {root.name!r} cannot be read.") from error


def _list_patient(folder: Path, inside: Path) -> Patient:
    name = folder.name
    if not folder.resolve().is_relative_to(inside):
        return Patient(name, (), (f"{name} is a link that leads out of the data folder.",))
    images: dict[int, Path] = {}
    masks: dict[int, Path] = {}
    problems, strange = [], []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return Patient(name, (), (f"The folder {name} cannot be read.",))
    for entry in entries:
        found = _FILE.fullmatch(entry.name[len(name) :]) if entry.name.startswith(name) else None
        if not entry.is_file() or not found:
            strange.append(entry.name)
        elif entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(inside):
            problems.append(f"{entry.name} is a link that leads out of the data folder.")
        elif int(found[1]) in (known := masks if found[2] else images):
            problems.append(f"{entry.name} has the number of {known[int(found[1])].name}.")
        else:
            known[int(found[1])] = folder / entry.name
    files = tuple(SliceFile(n, images[n], masks.get(n)) for n in sorted(images))
    if not files:
        problems.append(f"{name} has no slice.")
    problems += _numbered("has no mask", sorted(set(images) - set(masks)), name)
    problems += _numbered("has a mask but no picture", sorted(set(masks) - set(images)), name)
    shown = [entry for entry in strange if not entry.startswith(".")]
    if shown:
        problems.append(f"{name} holds files that are not named as slices: {_some(shown)}.")
    return Patient(name, files, tuple(problems))


def _numbered(what: str, numbers: list[int], name: str) -> list[str]:
    noun = "Slice" if len(numbers) == 1 else "Each of the slices"
    return [f"{noun} {_some(numbers)} of {name} {what}."] if numbers else []


def _some(items: list) -> str:
    listed = ", ".join(str(item) for item in items[:8])
    return listed if len(items) <= 8 else f"{listed} and {len(items) - 8} more"


def _read_bytes(path: Path) -> bytes:
    try:
        check_bytes(path.name, path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise DecodeError(f"{path.name} cannot be opened.") from error


def _check_mask_size(file: SliceFile, pixels: np.ndarray, truth: np.ndarray) -> None:
    if truth.shape != pixels.shape[:2]:
        raise DecodeError(
            f"{file.mask.name} has {truth.shape[0]} rows and {truth.shape[1]} columns, its slice has "
            f"{pixels.shape[0]} and {pixels.shape[1]}; the mask is left out."
        )


def _no_patient(path: Path) -> str:
    return (
        f"The data folder {path.name!r} holds no patient. Expected: {FOLDER} with folders such as "
        "TCGA_CS_4941_19960909."
    )
