"""The rows of data.csv in words: checked, inferred, or left as they are."""

from __future__ import annotations

import pytest

from btmodels.dataset import cohort
from btmodels.dataset.clinical_columns import (
    AS_NAMED,
    CHECKED,
    COLUMNS,
    INFERRED,
    LABEL,
    NOT_RECORDED,
    UNKNOWN,
    ClinicalValue,
    describe_row,
)

LABELS = {column.name: column.label for column in COLUMNS}


def cell(name: str, value: str) -> ClinicalValue:
    """The entry of one column."""
    found = [each for each in describe_row({name: value}) if each.label == LABELS.get(name, name)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize(
    ("name", "code", "meaning", "known"),
    [
        ("gender", "1", "female", CHECKED),
        ("gender", "2", "male", CHECKED),
        ("neoplasm_histologic_grade", "1", "WHO grade 2", CHECKED),
        ("neoplasm_histologic_grade", "2", "WHO grade 3", CHECKED),
        ("histological_type", "1", "astrocytoma", CHECKED),
        ("histological_type", "2", "oligoastrocytoma", INFERRED),
        ("histological_type", "3", "oligodendroglioma", INFERRED),
        ("death01", "0", "alive", INFERRED),
        ("death01", "1", "dead", INFERRED),
        ("laterality", "1", "left", CHECKED),
        ("laterality", "2", "midline", CHECKED),
        ("laterality", "3", "right", CHECKED),
        ("tumor_location", "1", "cerebellum", INFERRED),
        ("tumor_location", "2", "frontal lobe", INFERRED),
        ("tumor_location", "3", "not otherwise specified", INFERRED),
        ("tumor_location", "4", "occipital lobe", INFERRED),
        ("tumor_location", "5", "parietal lobe", INFERRED),
        ("tumor_location", "6", "temporal lobe", INFERRED),
        ("race", "1", "Asian", INFERRED),
        ("race", "2", "Black or African American", INFERRED),
        ("race", "3", "White", INFERRED),
        ("ethnicity", "1", "Hispanic or Latino", INFERRED),
        ("ethnicity", "2", "not Hispanic or Latino", INFERRED),
        ("tumor_tissue_site", "1", "central nervous system", INFERRED),
        ("age_at_initial_pathologic", "67", "67 years", AS_NAMED),
        ("RNASeqCluster", "4", "cluster 4", LABEL),
        ("COCCluster", "2", "cluster 2", LABEL),
    ],
)
def test_a_code_in_words(name, code, meaning, known):
    entry = cell(name, code)
    assert (entry.value, entry.known) == (meaning, known)
    assert entry.note.endswith(".")


def test_what_is_inferred_says_so():
    for column in COLUMNS:
        for code, meaning in column.codes.items():
            if meaning.known == INFERRED:
                assert "nferred" in cell(column.name, code).note


def test_the_same_code_as_a_table_of_numbers_writes_it():
    assert cell("gender", "2.0").value == "male"
    assert cell("age_at_initial_pathologic", " 67.0 ").value == "67 years"
    assert cell("RNASeqCluster", "4.").value == "cluster 4"
    assert cell("age_at_initial_pathologic", "67.5").value == "67.5 years"


@pytest.mark.parametrize("code", ["3", "0", "male", "1.5", "-1", ".0"])
def test_a_code_without_a_meaning_stays_a_code(code):
    entry = cell("gender", code)
    assert (entry.value, entry.known) == (code, UNKNOWN)
    assert "not known" in entry.note


@pytest.mark.parametrize("row", [{}, {"gender": ""}, {"gender": "  ", "Patient": "TCGA_CS_4941"}])
def test_an_empty_row_records_nothing(row):
    entries = describe_row(row)
    assert [each.label for each in entries] == list(LABELS.values())
    assert {(each.value, each.note, each.known) for each in entries} == {(NOT_RECORDED, "", "")}


def test_a_column_that_the_book_does_not_know_is_shown_as_it_is():
    *known, other = describe_row({"Patient": "TCGA_CS_4941", "smoker": "2", "blank": ""})
    assert len(known) == len(COLUMNS)
    assert (other.label, other.value, other.known) == ("smoker", "2", UNKNOWN)


def test_every_column_of_the_table_is_in_the_book():
    path = cohort.samples_root() / "data.csv"
    header = path.read_text(encoding="utf-8").splitlines()[0].split(";")
    assert sorted(header) == sorted(["Patient", *LABELS])
    assert len(set(LABELS.values())) == len(COLUMNS)


def test_a_synthetic_patient_in_words():
    data = cohort.read_patient_data(cohort.samples_root())
    words = {each.label: each.value for each in describe_row(data["SYNT_AA_0001"])}
    assert words[LABELS["laterality"]] == "left"
    assert words[LABELS["tumor_location"]] == "frontal lobe"
    assert words[LABELS["neoplasm_histologic_grade"]] == NOT_RECORDED
