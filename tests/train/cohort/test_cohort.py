"""The synthetic cohort: what ships keeps its figures, and making patients keeps the data set's layout."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile

from btmodels.dataset.cohort import PATIENT_KEY, read_cohort, read_patient_data, samples_root
from btmodels.slices import FLAIR, Slice
from train.cohort import REFERENCE
from train.cohort.figures import (
    MARGIN,
    best_threshold,
    load_reference,
    measure_folder,
    measure_patient,
    measure_reference,
)

SAMPLES = samples_root().parent


@pytest.fixture(scope="module")
def described() -> dict:
    return json.loads((SAMPLES / "cohort.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def measured():
    return measure_folder(SAMPLES)


def test_shipped_layout(described):
    patients = read_cohort(samples_root())
    assert [p.folder for p in patients] == sorted(described["patients"])
    assert len({p.folder[:PATIENT_KEY] for p in patients}) == len(patients) >= 6
    assert {len(p.files) for p in patients} >= {60}
    for patient in patients:
        assert not patient.problems and len(patient.files) >= 20
        assert [file.number for file in patient.files] == list(range(1, len(patient.files) + 1))
        for file in patient.files:
            pixels, mask = tifffile.imread(file.image), tifffile.imread(file.mask)
            assert pixels.shape == (256, 256, 3) and pixels.dtype == np.uint8
            assert mask.shape == (256, 256) and mask.dtype == np.uint8
            assert set(np.unique(mask)) <= {0, 255}


def test_shipped_table_claims_nothing_that_nobody_measured(described):
    rows = read_patient_data(samples_root())
    assert set(rows) == {folder[:PATIENT_KEY] for folder in described["patients"]}
    allowed = {"tumor_tissue_site", "laterality", "tumor_location"}
    assert all(set(row) <= allowed for row in rows.values())
    with (samples_root() / "data.csv").open(encoding="utf-8") as file:
        assert len(next(csv.reader(file, delimiter=";"))) == 18


def test_shipped_deciles_lie_within_those_of_real_patients(measured, described):
    reference = load_reference(REFERENCE)
    for folder, figures in measured.items():
        assert (figures.deciles >= np.array(reference.low)).all(), folder
        assert (figures.deciles <= np.array(reference.high)).all(), folder
        recorded = list(described["patients"][folder]["deciles"].values())
        np.testing.assert_array_equal(figures.deciles, recorded)


def test_shipped_cohort_is_hard_for_a_threshold(measured, described):
    reference = load_reference(REFERENCE)
    level, score = best_threshold(list(measured.values()))
    assert score <= reference.threshold_dice + MARGIN
    hardness = described["hardness"]
    assert level == hardness["best_flair_threshold"]
    assert score == pytest.approx(hardness["best_flair_threshold_dice"], abs=1e-4)
    assert hardness["lgg_validation_threshold_dice"] == reference.threshold_dice


def test_shipped_lesions_have_the_sizes_that_are_recorded(measured, described):
    largest = []
    for folder, figures in measured.items():
        areas = [area for area in figures.lesion_pixels if area]
        assert all(50 <= area <= 4000 for area in areas), folder
        assert described["patients"][folder]["most_lesion_pixels"] == max(areas, default=0)
        largest.append(max(areas, default=0))
    assert 0 in largest
    assert min(area for area in largest if area) < 400 and max(largest) > 1800


def test_shipped_stand_ins_are_flair(described):
    names = {"pre": 0, "post": 2}
    missing = set()
    for patient in read_cohort(samples_root()):
        replaced = described["patients"][patient.folder]["channels_replaced_by_flair"]
        missing |= set(replaced)
        pixels = tifffile.imread(patient.files[len(patient.files) // 2].image)
        for name, channel in names.items():
            same = np.array_equal(pixels[..., channel], pixels[..., FLAIR])
            assert same == (name in replaced), patient.folder
    assert missing == {"pre", "post"}


def test_shipped_lesions_are_bright_on_flair():
    for patient in read_cohort(samples_root()):
        inside, around = [], []
        for file in patient.files:
            mask = tifffile.imread(file.mask) > 0
            if mask.any():
                flair = tifffile.imread(file.image)[..., FLAIR]
                rows, cols = np.nonzero(mask)
                box = np.s_[rows.min() - 8 : rows.max() + 9, cols.min() - 8 : cols.max() + 9]
                inside.append(np.median(flair[mask]))
                around.append(np.median(flair[box][~mask[box]]))
        if inside:
            assert np.mean(inside) > 1.2 * np.mean(around), patient.folder


def make_slice(level: int) -> Slice:
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[8:56, 8:56] = 60
    truth = np.zeros((64, 64), bool)
    truth[20:30, 20:30] = True
    pixels[truth, FLAIR] = level
    return Slice("made_up.tif", pixels, truth)


def test_best_threshold_separates_what_can_be_separated():
    patient = measure_patient([make_slice(200)])
    level, score = best_threshold([patient])
    assert 60 < level <= 200 and score == 1
    assert patient.lesion_pixels == (100,)


def test_best_threshold_leaves_out_patients_without_a_lesion():
    empty = make_slice(200)
    empty = measure_patient([Slice("empty.tif", empty.pixels, np.zeros((64, 64), bool))])
    assert best_threshold([empty, measure_patient([make_slice(200)])])[1] == 1


def test_reference_keeps_ranges_and_no_pixels(tmp_path):
    split = {"train": ["TCGA_AA_0001_20000101", "TCGA_AA_0002_20000101"]}
    split |= {"validation": ["TCGA_AA_0003_20000101"], "test": [], "reference": []}
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "patients.json").write_text(json.dumps(split), encoding="utf-8")
    for number, folder in enumerate(split["train"] + split["validation"]):
        place = tmp_path / "kaggle_3m" / folder
        place.mkdir(parents=True)
        slice = make_slice(200)
        pixels = slice.pixels + (slice.pixels > 0).astype(np.uint8) * number
        tifffile.imwrite(place / f"{folder}_1.tif", pixels, photometric="rgb")
        mask = slice.truth.astype(np.uint8) * 255
        tifffile.imwrite(place / f"{folder}_1_mask.tif", mask, photometric="minisblack")
    path = tmp_path / "reference_ranges.json"
    words = ["cohort", "--measure-reference", str(tmp_path)]
    measure_reference(tmp_path, tmp_path, path, words)
    reference = load_reference(path)
    assert reference.low == ((60.0,) * 9,) * 3 and reference.high == ((61.0,) * 9,) * 3
    assert reference.threshold_dice == 1
    assert str(tmp_path) not in path.read_text(encoding="utf-8")
