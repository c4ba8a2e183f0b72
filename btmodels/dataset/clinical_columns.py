"""The meaning of the columns and codes of data.csv, and how each meaning is known.

The table comes without a data dictionary. Meanings were checked against public records of named patients
(The Cancer Genome Atlas, TCGA) or against the masks; others are inferred and marked as such. A code whose
meaning is unknown stays a code. Clinics and laboratories recorded all values: none is a prediction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CHECKED = "checked"
INFERRED = "inferred"
LABEL = "label only"
AS_NAMED = "as the column is named"
UNKNOWN = "meaning unknown"

NOT_RECORDED = "not recorded"


@dataclass(frozen=True)
class Code:
    """The meaning of a code, and how it is known: `CHECKED` or `INFERRED`."""

    meaning: str
    known: str


@dataclass(frozen=True)
class Column:
    """A column of data.csv.

    Attributes:
        name: As in the file's first line.
        label: The name in words.
        note: One or more plain sentences on how the meaning is known.
        codes: Meaning by code; empty where the cell is a quantity or a label.
        known: For a column without codes: `LABEL` or `AS_NAMED`.
        form: Format of a cell without a code, with ``{}`` for the cell.
    """

    name: str
    label: str
    note: str
    codes: Mapping[str, Code] = field(default_factory=dict)
    known: str = LABEL
    form: str = "{}"


@dataclass(frozen=True)
class ClinicalValue:
    """One cell in words.

    Attributes:
        label: The column in words.
        value: The meaning, the code if its meaning is unknown, or `NOT_RECORDED`.
        note: How the meaning is known; empty if nothing is recorded.
        known: `CHECKED`, `INFERRED`, `LABEL`, `AS_NAMED` or `UNKNOWN`; empty if nothing is recorded.
    """

    label: str
    value: str
    note: str
    known: str


def _codes(known: str, *meanings: str) -> dict[str, Code]:
    return {str(code): Code(meaning, known) for code, meaning in enumerate(meanings, 1)}


_ALPHABETICAL = "Inferred: the codes number the terms of TCGA in alphabetical order."


def _cluster(name: str, what: str) -> Column:
    return Column(
        name,
        f"Genomic cluster by {what}",
        "The number of a group found by laboratory analysis (TCGA Research Network, N Engl J Med "
        "2015; 372:2481): a label, not a quantity. What each number stands for is not in the data.",
        form="cluster {}",
    )


COLUMNS: tuple[Column, ...] = (
    Column(
        "age_at_initial_pathologic",
        "Age when the tumor was first examined",
        "Taken as the column is named: years.",
        known=AS_NAMED,
        form="{} years",
    ),
    Column(
        "gender",
        "Gender",
        "Checked against the public TCGA records of four named patients.",
        _codes(CHECKED, "female", "male"),
    ),
    Column(
        "race",
        "Race",
        _ALPHABETICAL,
        _codes(INFERRED, "Asian", "Black or African American", "White"),
    ),
    Column(
        "ethnicity",
        "Ethnicity",
        _ALPHABETICAL,
        _codes(INFERRED, "Hispanic or Latino", "not Hispanic or Latino"),
    ),
    Column(
        "neoplasm_histologic_grade",
        "Grade",
        "Checked against the public TCGA records of four named patients.",
        _codes(CHECKED, "WHO grade 2", "WHO grade 3"),
    ),
    Column(
        "histological_type",
        "Type of tumor under the microscope",
        "Astrocytoma was checked against the public TCGA records of four named patients; the others "
        "are inferred: the codes number the terms of TCGA in alphabetical order.",
        _codes(CHECKED, "astrocytoma")
        | {
            "2": Code("oligoastrocytoma", INFERRED),
            "3": Code("oligodendroglioma", INFERRED),
        },
    ),
    Column(
        "laterality",
        "Side",
        "Checked against the masks: 106 of 107 lesions lie on the coded side if the patient's left is "
        "at the picture's right.",
        _codes(CHECKED, "left", "midline", "right"),
    ),
    Column(
        "tumor_location",
        "Place in the brain",
        f"{_ALPHABETICAL} The masks agree: coded from frontal to occipital, they lie ever farther back.",
        _codes(
            INFERRED,
            "cerebellum",
            "frontal lobe",
            "not otherwise specified",
            "occipital lobe",
            "parietal lobe",
            "temporal lobe",
        ),
    ),
    Column(
        "tumor_tissue_site",
        "Organ",
        "Inferred: it is the only code there is, and all are tumors of the brain.",
        _codes(INFERRED, "central nervous system"),
    ),
    Column(
        "death01",
        "At last contact",
        "Inferred from the column's name.",
        {"0": Code("alive", INFERRED), "1": Code("dead", INFERRED)},
    ),
    _cluster("RNASeqCluster", "RNA sequencing"),
    _cluster("MethylationCluster", "DNA methylation"),
    _cluster("miRNACluster", "microRNA expression"),
    _cluster("CNCluster", "DNA copy number"),
    _cluster("RPPACluster", "protein expression"),
    _cluster("OncosignCluster", "mutations and copy number (OncoSign)"),
    _cluster("COCCluster", "all of these together (cluster of clusters)"),
)
"""Every column of data.csv except the key, in display order."""


def describe_row(row: Mapping[str, str]) -> list[ClinicalValue]:
    """Describe a patient's row of data.csv in words.

    Args:
        row: Cell by column as `btmodels.dataset.cohort.read_patient_data` gives it; a column that is
        missing or blank is not recorded.

    Returns:
        A value for each column of `COLUMNS`, then one, unchanged, for each other column of the row
        that is not empty.
    """
    known = [_clinical_value(column, row.get(column.name)) for column in COLUMNS]
    names = {column.name for column in COLUMNS} | {"Patient"}
    others = [
        ClinicalValue(name, cell.strip(), "This column is not in the code book.", UNKNOWN)
        for name, cell in row.items()
        if name not in names and cell and cell.strip()
    ]
    return known + others


def _clinical_value(column: Column, cell: str | None) -> ClinicalValue:
    cell = _plain(cell or "")
    if not cell:
        return ClinicalValue(column.label, NOT_RECORDED, "", "")
    if not column.codes:
        return ClinicalValue(column.label, column.form.format(cell), column.note, column.known)
    if cell not in column.codes:
        return ClinicalValue(column.label, cell, "What this code means is not known.", UNKNOWN)
    code = column.codes[cell]
    return ClinicalValue(column.label, code.meaning, column.note, code.known)


def _plain(cell: str) -> str:
    # Copies of the table that went through a spreadsheet or pandas write 2 as 2.0.
    whole, point, rest = cell.strip().partition(".")
    return whole if point and whole.isdigit() and rest.strip("0") == "" else cell.strip()
