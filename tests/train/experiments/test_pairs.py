"""Networks are compared patient by patient, and patients of the test subset have no say."""

import json

import numpy as np
import pytest

from btmodels import paths
from btmodels.dataset.split import load_split
from train.__main__ import main
from train.experiments import pairs
from train.experiments.fold_counts import Maps, count_fold, keep_counts
from train.experiments.pairs import compare


def test_differences_are_of_pairs_and_of_deciding_patients_alone():
    own = {"a": 0.9, "b": 0.7, "c": 0.5, "d": None, "t": 0.0}
    other = {"a": 0.8, "b": 0.6, "c": 0.6, "d": 0.5, "e": 0.1, "t": 1.0}
    found = compare(own, other, "abcde")
    assert found["compared_patients"] == 3 and found["better"] == 2
    assert found["difference"] == pytest.approx(0.1 / 3)
    low, high = found["difference_interval"]
    assert low == pytest.approx(-0.1, abs=0.07) and high == pytest.approx(0.1)
    assert found["adopted"] is False, "the interval reaches below 0"


@pytest.mark.parametrize(("gain", "adopted"), [(0.02, True), (0.007, False), (-0.02, False)])
def test_a_small_gain_is_not_adopted_however_sure(gain, adopted):
    other = {str(n): 0.5 + 0.01 * n for n in range(20)}
    own = {name: dice + gain for name, dice in other.items()}
    assert compare(own, other, other)["adopted"] is adopted


def test_without_shared_patients_nothing_is_said():
    found = compare({"a": 0.9}, {"b": 0.8}, "ab")
    assert found.pop("compared_patients") == 0 and set(found.values()) == {None}


def test_the_command_reads_finished_folds_and_says_which_are_lacking(tmp_path, monkeypatch):
    name = load_split()["train"][0]
    (tmp_path / "splits").mkdir()
    split = (paths.ASSETS / "splits" / "patients.json").read_bytes()
    (tmp_path / "splits" / "patients.json").write_bytes(split)
    truth = np.zeros((1, 64, 64), bool)
    truth[0, :8] = True
    for run, marked in (("crossval-a-1-digest", 8), ("crossval-b-1-digest", 4)):
        probability_map = np.zeros((1, 64, 64), np.uint8)
        probability_map[0, :marked] = 255
        counts = count_fold(Maps(probability_map, truth, (name,), (1,)), run, {"fold": 2})
        keep_counts(counts, tmp_path / "metrics" / "folds" / f"{run}-fold-2.npz")
    pair = pairs.Pair("half", "All against half", "crossval-a-1-", "crossval-b-1-")
    monkeypatch.setattr(pairs, "PAIRS", (pair,))
    assert main(["pairs", "--assets", str(tmp_path)]) == 0
    found = json.loads((tmp_path / "metrics" / "pairs.json").read_text(encoding="utf-8"))
    (row,) = found["rows"]
    assert row["folds"] == [2] and row["patients"] == row["compared_patients"] == 1
    assert (row["mean_dice"], row["other_mean_dice"]) == (1, pytest.approx(2 / 3))
    assert row["difference"] == pytest.approx(1 / 3)
    assert not found["complete"] and len(found["lacks"]) == 4
