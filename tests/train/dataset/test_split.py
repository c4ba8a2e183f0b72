"""The committed split is the one that was drawn once, and a new one keeps its rules."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from itertools import combinations

import pytest

from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.paths import ASSETS
from tests.train.tiny import SPLIT, make_assets, make_data
from train.__main__ import main
from train.dataset.split import check_folds, draw, institution

SHA256 = "6452e5e40a29b99db001e137894110debc1cd501bf3396eb220ac07fed84445e"
FOLDERS = [
    f"TCGA_{place}_{number:04}_20000101" for place in ("CS", "DU", "HT") for number in range(20)
]


def test_the_committed_split_is_unchanged():
    content = (ASSETS / "splits" / "patients.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == SHA256


def test_the_committed_subsets_share_no_patient():
    split = cohort.load_split()
    assert {subset: len(folders) for subset, folders in split.items()} == {
        "train": 70,
        "validation": 10,
        "test": 20,
        "reference": 10,
    }
    for one, other in combinations(split.values(), 2):
        assert not set(one) & set(other)
    folds = cohort.load_folds()
    check_folds(folds, split)
    at_hand = {*split["train"], *split["validation"], *split["test"]}
    assert sorted(at_hand) == sorted(folder for fold in folds for folder in fold)


def test_the_check_prints_counts_by_institution(capsys):
    assert main(["split"]) == 0
    said = capsys.readouterr().out
    assert SHA256 in said and "reference   10  CS 3, DU 4, HT 3" in said


def test_a_drawn_split_is_stratified_and_repeatable():
    drawn = draw(FOLDERS, seed=3, reference=FOLDERS[:3])
    assert drawn == draw(list(reversed(FOLDERS)), seed=3, reference=FOLDERS[:3])
    assert drawn != draw(FOLDERS, seed=4, reference=FOLDERS[:3])
    assert drawn["reference"] == FOLDERS[:3]
    subsets = [drawn[subset] for subset in cohort.SUBSETS]
    assert sorted(folder for subset in subsets for folder in subset) == FOLDERS
    assert (len(drawn["test"]), len(drawn["validation"])) == (11, 6)
    for subset, least in (("test", 3), ("validation", 1)):
        assert min(Counter(map(institution, drawn[subset])).values()) >= least
    check_folds(drawn["folds"], drawn)
    assert [len(fold) for fold in drawn["folds"]] == [12, 12, 11, 11, 11]


def test_too_few_patients_are_refused():
    with pytest.raises(CohortError, match="too few"):
        draw(FOLDERS[:4], seed=0)


@pytest.mark.parametrize(
    ("folds", "why"), [([["a"], ["a"]], "two folds"), ([["a"], ["r"]], "reference patient")]
)
def test_bad_folds_are_refused(folds, why):
    with pytest.raises(CohortError, match=why):
        check_folds(folds, {"reference": ["r"]})


def test_a_split_is_drawn_for_other_data_and_never_over_another(tmp_path, capsys):
    data, assets = make_data(tmp_path / "data", num_slices=1), make_assets(tmp_path / "assets")
    out = tmp_path / "new" / "split.json"
    words = ["split", "--data", str(data), "--assets", str(assets), "--out", str(out)]
    words += ["--validation", "0.25", "--test", "0.25"]
    assert main(words) == 0
    content = json.loads(out.read_text())
    assert content["reference"] == SPLIT["reference"]
    assert len(content["train"]) == 2 and content["command"].startswith("python -m train split")
    assert main(words) == 2
    assert "exists" in capsys.readouterr().err
    committed = ASSETS / "splits" / "patients.json"
    assert main(["split", "--data", str(data), "--out", str(committed)]) == 2
    assert main(["split", "--out", str(tmp_path / "other.json")]) == 2


def test_what_a_data_folder_holds_of_the_split(tmp_path, capsys):
    data, assets = make_data(tmp_path / "data", num_slices=1), make_assets(tmp_path / "assets")
    assert main(["split", "--data", str(data), "--assets", str(assets)]) == 0
    assert "holds 2 of 2 train patients" in capsys.readouterr().out


def test_a_patient_in_two_subsets_is_refused(tmp_path, capsys):
    place = tmp_path / "splits"
    place.mkdir()
    content = {**SPLIT, "test": SPLIT["train"]}
    (place / "patients.json").write_text(json.dumps(content))
    assert main(["split", "--assets", str(tmp_path)]) == 1
    assert "in two subsets" in capsys.readouterr().err
