"""Made-up data folders: what is listed, what is read, and what is said to be wrong."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.errors import CohortError, DecodeError
from tests.btmodels.files import tiff

ANNA, BERT = "TCGA_AA_0001_20010203", "TCGA_BB_0002_20040506"
BLACK = np.zeros((6, 8), np.uint8)


def put(root: Path, folder: str, number: int, image=None, mask=BLACK) -> None:
    where = root / folder
    where.mkdir(parents=True, exist_ok=True)
    image = np.full((6, 8, 3), number, np.uint8) if image is None else image
    (where / f"{folder}_{number}.tif").write_bytes(tiff(image, photometric="rgb"))
    if mask is not None:
        (where / f"{folder}_{number}_mask.tif").write_bytes(tiff(mask, photometric="minisblack"))


@pytest.fixture
def root(tmp_path) -> Path:
    root = tmp_path / "kaggle_3m"
    for number in (10, 9, 1):
        put(root, BERT, number)
    put(root, ANNA, 2, mask=np.eye(6, 8, dtype=np.uint8) * 255)
    return root


def assets_with(tmp_path, **subsets) -> Path:
    (tmp_path / "assets" / "splits").mkdir(parents=True, exist_ok=True)
    content = {subset: [] for subset in cohort.SUBSETS} | subsets
    (tmp_path / "assets" / "splits" / "patients.json").write_text(json.dumps(content))
    return tmp_path / "assets"


def test_patients_by_name_and_slices_by_number(root):
    anna, bert = cohort.read_cohort(root)
    assert (anna.folder, bert.folder) == (ANNA, BERT)
    assert [file.number for file in bert.files] == [1, 9, 10]
    assert bert.files[2].mask.name == f"{BERT}_10_mask.tif"
    assert anna.problems == bert.problems == ()


def test_the_folder_or_the_one_that_holds_it(root, tmp_path):
    assert cohort.find_root(root) == cohort.find_root(tmp_path) == root
    assert len(cohort.read_cohort(tmp_path)) == 2


def test_a_folder_without_patients(tmp_path):
    with pytest.raises(CohortError, match="no data folder 'nowhere'") as caught:
        cohort.find_root(tmp_path / "nowhere")
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(CohortError, match="holds no patient"):
        cohort.read_cohort(tmp_path)
    (tmp_path / "kaggle_3m").mkdir()
    with pytest.raises(CohortError, match="holds no patient"):
        cohort.read_cohort(tmp_path)


def test_listing_opens_no_slice(root, monkeypatch):
    def refuse(path):
        raise AssertionError(f"opened {path}")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    monkeypatch.setattr(Path, "open", refuse)
    assert len(cohort.read_cohort(root)) == 2


def test_a_slice_with_its_truth(root):
    anna, _ = cohort.read_cohort(root)
    each = cohort.read_slice(anna, anna.files[0])
    assert (each.name, each.patient, each.number) == (f"{ANNA}_2.tif", ANNA, 2)
    assert (each.pixels == 2).all() and each.notes == ()
    np.testing.assert_array_equal(each.truth, np.eye(6, 8, dtype=bool))


def test_what_names_tell_is_listed_as_wrong(root):
    put(root, BERT, 3, mask=None)
    (root / BERT / f"{BERT}_7_mask.tif").write_bytes(tiff(BLACK))
    (root / BERT / "notes.txt").write_text("x")
    (root / BERT / ".DS_Store").write_text("x")
    (root / BERT / f"{BERT}_01.tif").write_bytes(b"")
    (root / "TCGA_CC_0003_20070809").mkdir()
    _, bert, empty = cohort.read_cohort(root)
    assert [file.number for file in bert.files] == [1, 3, 9, 10]
    assert set(bert.problems) == {
        f"Slice 3 of {BERT} has no mask.",
        f"Slice 7 of {BERT} has a mask but no picture.",
        f"{BERT} holds files that are not named as slices: notes.txt.",
        f"{BERT}_1.tif has the number of {BERT}_01.tif.",
    }
    assert empty.files == () and empty.problems == ("TCGA_CC_0003_20070809 has no slice.",)


def test_what_only_opening_tells_is_found_by_inspect(root):
    put(root, BERT, 4, image=np.zeros((5, 5, 3), np.uint8))
    (root / BERT / f"{BERT}_9.tif").write_bytes(b"II*\0 and then nothing")
    (root / BERT / f"{BERT}_10_mask.tif").write_bytes(b"")
    _, bert = cohort.read_cohort(root)
    assert bert.problems == ()
    problems = cohort.inspect(bert).problems
    assert len(problems) == 4
    assert any(f"{BERT}_4_mask.tif has 6 rows and 8 columns" in problem for problem in problems)
    assert any(problem.startswith(f"{BERT}_9.tif starts as a TIFF") for problem in problems)
    assert any(problem.startswith(f"{BERT}_10_mask.tif is empty") for problem in problems)
    assert any("differ in size: 2 of 6 x 8, 1 of 5 x 5" in problem for problem in problems)
    with pytest.raises(DecodeError):
        cohort.read_slice(bert, bert.files[2])
    each = cohort.read_slice(bert, bert.files[3])
    assert each.truth is None and any("is empty" in note for note in each.notes)
    (root / BERT / f"{BERT}_1.tif").unlink()
    with pytest.raises(DecodeError, match="cannot be opened"):
        cohort.read_slice(bert, bert.files[0])


def test_links_do_not_lead_out_of_the_folder(root, tmp_path):
    outside = tmp_path / "outside"
    put(outside, ANNA, 5)
    (root / "TCGA_CC_0003_20070809").symlink_to(outside / ANNA, target_is_directory=True)
    (root / ANNA / f"{ANNA}_6.tif").symlink_to(outside / ANNA / f"{ANNA}_5.tif")
    anna, _, linked = cohort.read_cohort(root)
    assert [file.number for file in anna.files] == [2]
    assert anna.problems == (f"{ANNA}_6.tif is a link that leads out of the data folder.",)
    assert linked.files == () and "leads out" in linked.problems[0]


@pytest.mark.parametrize("separator", [";", ","])
def test_patient_data(root, separator):
    rows = ["Patient;gender;death01;grade", "TCGA_AA_0001;2;;1", "TCGA_BB_0002;1;0;", ";1;1;1"]
    text = "\n".join(rows).replace(";", separator)
    (root / "data.csv").write_text(text, encoding="utf-8-sig")
    data = cohort.read_patient_data(root)
    assert data == {
        "TCGA_AA_0001": {"gender": "2", "grade": "1"},
        "TCGA_BB_0002": {"gender": "1", "death01": "0"},
    }
    assert ANNA[: cohort.PATIENT_KEY] in data


def test_patient_data_missing_or_broken(root):
    assert cohort.read_patient_data(root) == {}
    for broken in (b"\xff\xfe\x00", b"", b"a;b\n1;2\n"):
        (root / "data.csv").write_bytes(broken)
        with pytest.raises(CohortError, match="data.csv"):
            cohort.read_patient_data(root)


def test_a_subset_holds_its_own_patients_only(root, tmp_path):
    assets = assets_with(tmp_path, train=[ANNA], reference=[BERT], test=["TCGA_ZZ_9999_20000101"])
    assert [p.folder for p in cohort.subset_patients(root, "train", assets)] == [ANNA]
    assert [p.folder for p in cohort.subset_patients(tmp_path, "reference", assets)] == [BERT]
    with pytest.raises(CohortError, match="none of the 1 test patients"):
        cohort.subset_patients(root, "test", assets)
    with pytest.raises(ValueError, match="subset='folds'"):
        cohort.subset_patients(root, "folds", assets)


def test_provenance(tmp_path):
    assets = assets_with(tmp_path, train=[ANNA], reference=[BERT])
    assert cohort.provenance(ANNA, assets) == "train"
    assert cohort.provenance(BERT, assets) == "reference"
    assert cohort.provenance("SYNT_AA_0001_20260101", assets) == "synthetic"
    assert cohort.provenance("TCGA_ZZ_9999_20000101", assets) == "unknown"
    assert cohort.provenance(ANNA, tmp_path / "nowhere") == "unknown"


def test_a_split_with_a_patient_in_two_subsets_is_refused(tmp_path):
    with pytest.raises(CohortError, match=f"{ANNA} in two subsets"):
        cohort.load_split(assets_with(tmp_path, train=[ANNA], test=[ANNA]))
    with pytest.raises(CohortError, match="missing"):
        cohort.split_sha256(tmp_path / "nowhere")


def test_the_committed_split():
    split, folds = cohort.load_split(), cohort.load_folds()
    assert {k: len(v) for k, v in split.items()} == {
        "train": 70,
        "validation": 10,
        "test": 20,
        "reference": 10,
    }
    at_hand = {p for subset in ("train", "validation", "test") for p in split[subset]}
    assert [len(fold) for fold in folds] == [20] * 5
    assert {p for fold in folds for p in fold} == at_hand
    assert cohort.split_sha256() == (
        "6452e5e40a29b99db001e137894110debc1cd501bf3396eb220ac07fed84445e"
    )
    content = (paths.ASSETS / "splits" / "patients.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == cohort.split_sha256()
    assert cohort.provenance(split["test"][0]) == "test"


def test_roots(monkeypatch, tmp_path):
    monkeypatch.delenv("BT_DATA_DIR", raising=False)
    assert cohort.data_root() is None
    monkeypatch.setenv("BT_DATA_DIR", str(tmp_path))
    assert cohort.data_root() == tmp_path
    assert cohort.samples_root(tmp_path) == tmp_path / "samples" / "kaggle_3m"


@pytest.mark.data
def test_the_data_set_itself():
    patients = cohort.read_cohort(cohort.data_root())
    assert len(patients) >= 100 and not any(patient.problems for patient in patients)
    each = cohort.read_slice(patients[0], patients[0].files[0])
    assert each.pixels.shape == (256, 256, 3) and each.truth.shape == (256, 256)
    assert each.notes == ()
