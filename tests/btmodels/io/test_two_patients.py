"""Two patients of three sequences each, in every form and place: nothing of one is ever the other's."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from tests.btmodels.case_files import FLAIR, POST, PRE, Files, patient, series, tiff, volume, zipped
from tests.btmodels.files import stretched
from tests.btmodels.reading import pixels, read

FORMS, PLACES, NAMES = (
    ("DICOM", "NIfTI", "TIFF"),
    ("flat", "folders", "zip"),
    ("equal", "different"),
)
COUNT, WORDS = 3, {FLAIR: "flair", PRE: "t1", POST: "t1ce"}


def values(number: int) -> np.ndarray:
    """(sequences, slices, rows, cols) of 8 bits, so that levels are the values."""
    return patient(number, COUNT)


def files_of(form: str, number: int, equal: bool) -> Files:
    """One patient's files below its folder; equal names say nothing of the patient."""
    stem = "" if equal else f"{'AB'[number]}_"
    if form == "NIfTI":
        return {f"{stem}{word}.nii": volume(values(number)[c]) for c, word in WORDS.items()}
    if form == "TIFF":
        return {
            f"{stem}{word}/{index}.tif": tiff(values(number)[c][index])
            for c, word in WORDS.items()
            for index in range(COUNT)
        }
    who = f"1.2.826.{number + 1}"
    found: Files = {}
    for at, (channel, word) in enumerate(WORDS.items(), start=1):
        found |= series(
            values(number)[channel],
            f"{stem}{word}_",
            at,
            who=who,
            SeriesDescription=word.upper() if equal else f"{word} of {'AB'[number]}",
            PatientID="ANON" if equal else f"P{number}",
        )
    return found


def batch_of(form: str, place: str, equal: bool) -> list[tuple[str, bytes]]:
    files: list[tuple[str, bytes]] = []
    for number, folder in enumerate("AB"):
        for name, data in files_of(form, number, equal).items():
            if place != "flat":
                name = f"{folder}/{name}"
            elif form == "TIFF":
                # One folder holds all: the name says sequence and slice, and whose it is.
                name = f"{folder}_{name.replace('/', '_').removeprefix(f'{folder}_')}"
            elif form == "NIfTI" and equal:
                name = f"{folder}/{name}"  # one name twice is no folder's; named from two
            elif form == "DICOM":
                name = f"{number}{name}"
            files.append((name, data))
    return [("both.zip", zipped(dict(files)))] if place == "zip" else files


@pytest.mark.parametrize(("form", "place", "names"), [*itertools.product(FORMS, PLACES, NAMES)])
def test_each_has_all_of_its_own(form, place, names):
    batch = read(batch_of(form, place, names == "equal"), bulk=True)
    assert not batch.errors and not batch.notes
    slices = [each for found in batch.studies for each in found.slices]
    assert len(slices) == 2 * COUNT
    stacks = np.stack([pixels(found) for found in batch.studies]).reshape(2, COUNT, 64, 64, 3)
    for number in range(2):
        own = values(number)
        if form == "TIFF":  # each picture is one for itself
            own = np.stack([[stretched(each) for each in sequence] for sequence in own])
        np.testing.assert_array_equal(stacks[number], own.transpose(1, 2, 3, 0))
    titles = [(found.folder, found.title) for found in batch.studies]
    if form != "TIFF":
        assert len(set(titles)) == len(titles) == 2
    assert not any(re.search("missing|left out", note) for each in slices for note in each.notes)
