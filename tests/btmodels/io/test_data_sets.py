"""Two patients each, laid out as data sets and people in several countries lay them out: none shares
anything with the other, and each has all of its own."""

from __future__ import annotations

import numpy as np
import pytest

from tests.btmodels.case_files import FLAIR, POST, PRE, Files, patient, tiff, volume
from tests.btmodels.reading import pixels, read, texts

LAYOUTS = {
    "UPENN": [
        "NIfTI-files/images_structural/UPENN-GBM-0000{n}_11/UPENN-GBM-0000{n}_11_FLAIR_unstripped",
        "NIfTI-files/images_structural/UPENN-GBM-0000{n}_11/UPENN-GBM-0000{n}_11_T1_unstripped",
        "NIfTI-files/images_structural/UPENN-GBM-0000{n}_11/UPENN-GBM-0000{n}_11_T1GD_unstripped",
        "NIfTI-files/images_segm/UPENN-GBM-0000{n}_11_segm",
    ],
    "Erasmus": [
        "EGD-000{n}/4_FLAIR/NIFTI/FLAIR",
        "EGD-000{n}/1_T1/NIFTI/T1",
        "EGD-000{n}/2_T1GD/NIFTI/T1GD",
        "EGD-000{n}/5_MASK/NIFTI/MASK",
    ],
    "LUMIERE": [f"Patient-001/week-00{{n}}/{word}" for word in ("FLAIR", "T1", "CT1", "seg")],
    "Stanford": [f"Mets_00{{n}}/{w}/img" for w in ("flair", "t1_pre", "t1_gd")]
    + ["Mets_00{n}/seg/seg"],
    "Ivy GAP": [
        f"W{{n}}_1995.05.01_{word}"
        for word in ("flair_LPS_rSRI", "t1_LPS_rSRI", "t1ce_LPS_rSRI", "seg")
    ],
    "MU": [f"PatientID_000{{n}}_brain_{w}" for w in ("t2f", "t1n", "t1c", "tumorMask")],
    "German": ["P{n}_t2_tirm_dark-fluid", "P{n}_t1_nativ", "P{n}_t1_KM", "P{n}_Maske"],
    "Polish": ["P{n}_FLAIR", "P{n}_T1_bez_kontrastu", "P{n}_T1_po_kontrascie", "P{n}_maska"],
    "Dutch": ["P{n}_FLAIR", "P{n}_T1_zonder_contrast", "P{n}_T1_met_contrast", "P{n}_masker"],
    "Swedish": ["P{n}_FLAIR", "P{n}_T1_utan_kontrast", "P{n}_T1_med_kontrast", "P{n}_mask"],
    "Russian": ["P{n}_FLAIR", "P{n}_T1_до_контраста", "P{n}_T1_с_контрастом", "P{n}_маска"],
    "Hungarian": ["P{n}_FLAIR", "P{n}_T1_nativ", "P{n}_T1_kontrasztanyaggal", "P{n}_maszk"],
    "Greek": ["P{n}_FLAIR", "P{n}_T1_χωρίς", "P{n}_T1_με_σκιαγραφικό", "P{n}_μάσκα"],
    "Chinese": ["P{n}_FLAIR", "P{n}_T1_平扫", "P{n}_T1_增强", "P{n}_掩模"],
    "Japanese": ["P{n}_FLAIR", "P{n}_T1_造影前", "P{n}_T1_造影後", "P{n}_マスク"],
    "Korean": ["P{n}_FLAIR", "P{n}_T1_조영전", "P{n}_T1_조영후", "P{n}_마스크"],
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_patient_has_all_of_its_own(name):
    files: Files = {}
    for number in (0, 1):
        values = patient(number)
        parts = values[FLAIR], values[PRE], values[POST], values[FLAIR] > 150
        for path, each in zip(LAYOUTS[name], parts, strict=True):
            files[f"{path.format(n=number + 1)}.nii"] = volume(each)
    batch = read(files, bulk=True)
    assert len(batch.studies) == 2 and not batch.errors and not batch.notes, texts(batch)
    for number, found in enumerate(batch.studies):
        np.testing.assert_array_equal(pixels(found), patient(number).transpose(1, 2, 3, 0))
        marked = np.stack([each.truth for each in found.slices])
        np.testing.assert_array_equal(marked, patient(number)[FLAIR] > 150)


def flat(*parts: tuple[str, int, int]) -> list[tuple[str, bytes]]:
    return [(f"{name}.nii", volume(patient(number)[channel])) for name, number, channel in parts]


@pytest.mark.parametrize(
    "parts",
    [
        [("flair", 0, FLAIR), ("flair", 1, FLAIR), ("t1", 0, PRE), ("t1ce", 0, POST)],
        [("t1", 0, PRE), ("t1", 1, PRE), ("flair", 0, FLAIR), ("t1ce", 1, POST)],
    ],
)
def test_of_files_of_one_name_in_one_place_nobody_can_tell_whose_the_others_are(parts):
    files = [*flat(*parts), ("seg.nii", volume(patient()[FLAIR] > 150))]
    batch = read(files)
    assert len(batch.studies) == 4 and len({s.title for s in batch.studies}) == 4
    for found in batch.studies:
        levels = pixels(found)
        assert (levels == levels[..., :1]).all()
        assert all(each.truth is None for each in found.slices)


def test_a_mask_of_pictures_of_one_name_is_nobodys():
    picture = [tiff(patient(n)[:, 4].transpose(1, 2, 0).copy()) for n in (0, 1)]
    mask = tiff(((patient()[FLAIR][4] > 150) * 255).astype(np.uint8))
    batch = read([("x.tif", picture[0]), ("x.tif", picture[1]), ("x_mask.tif", mask)])
    assert [found.slices[0].truth for found in batch.studies] == [None, None]
    assert "x_mask.tif came with different contents under one name" in texts(batch)


@pytest.mark.parametrize(
    ("place", "word", "told"),
    [
        ("", "Untitled", True),  # as ITK-SNAP calls it
        ("", "P2_seg", False),
        ("other/", "Untitled", False),
        ("siteB/P1/", "P1_seg", False),
    ],
)
def test_a_mask_is_the_truth_of_the_one_study_beside_it_unless_it_names_another(place, word, told):
    folder = "siteA/P1/" if "site" in place else ""
    files = {f"{folder}P1_flair.nii": volume(patient()[FLAIR])}
    files[f"{place}{word}.nii"] = volume(patient()[FLAIR] > 150)
    (found,) = read(files, bulk=True).studies
    assert (found.slices[0].truth is not None) == told
