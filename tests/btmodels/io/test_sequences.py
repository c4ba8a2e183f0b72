"""Which sequence a name speaks of, as scanners, data sets and people write it."""

from __future__ import annotations

import pytest

from btmodels.io.sequences import family_of, is_mask, recognize

NAMES = {
    "flair": ["flair", "FLAIR", "Ax T2 FLAIR", "x-t2f", "T2_dark-fluid", "ax_flair_fs"],
    "post": [
        "BraTS20_Training_001_t1ce",
        "x-t1c",
        "T1 post gad",
        "AX T1 POST",
        "Ax T1 +C",
        "t1_Gd",
        "T1W_CE",
        "T1 with contrast",
        "postcontrast",
        "post",
        "gad",
        "t1km",
        "cet1",
    ],
    "pre": [
        "BraTS20_Training_001_t1",
        "x-t1n",
        "AX T1 PRE",
        "ax t1 without contrast",
        "T1 no contrast",
        "pre",
        "pre-contrast T1",
        "MPRAGE",
        "T1w",
    ],
    "other": ["x-t2w", "sag T2", "DWI", "ADC map", "localizer", "T2"],
    None: ["TCGA_CS_4941_19960909_1", "brain", "IM0001", "posterior view", "contrast", "scan 12"],
}


@pytest.mark.parametrize(
    ("text", "sequence"), [(text, key) for key, texts in NAMES.items() for text in texts]
)
def test_names_are_recognized(text, sequence):
    assert recognize(text) == sequence


def test_the_rest_of_a_name_is_the_patients():
    for names in (
        ("BraTS20_Training_001_flair", "BraTS20_Training_001_t1ce", "BraTS20_Training_001_seg"),
        ("x-t2f", "x-t1n", "x-t1c"),
        ("flair", "pre", "post"),
        ("sub 7 T1 post contrast", "sub-7-T1-pre-contrast", "sub_7_FLAIR"),
    ):
        assert len({family_of(name) for name in names}) == 1, names
    assert family_of("case_1_flair") != family_of("case_2_flair")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("case_seg", True), ("x-mask", True), ("labels", True), ("masked_brain", False), ("x", False)],
)
def test_masks_are_named_as_masks(name, is_one):
    assert is_mask(name) == is_one
