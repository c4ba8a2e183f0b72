"""Whether a slice shows a tumor: scores of two networks joined, judged in folds."""

from __future__ import annotations

import json

import numpy as np
import pytest

from btmodels import paths
from btmodels.dataset.split import load_split
from train.__main__ import main
from train.experiments import detect
from train.experiments.fold_counts import Maps, count_fold


def scores(fold: int, log_odds: list[float], tumor: list[int]) -> dict:
    numbers = list(range(1, len(tumor) + 1))
    return {"fold": fold, "numbers": numbers, "tumor": tumor, "log_odds": log_odds}


def test_a_slices_score_is_the_mean_log_odds_of_its_highest_pixels():
    probability_map = np.zeros((2, 256, 256), np.uint8)
    probability_map[1, 7, :50] = 204  # fifty pixels of four fifths: odds of four to one
    truth = probability_map > 0
    found = count_fold(
        Maps(probability_map, truth, ("A", "A"), (2, 1)), "run", {"fold": 3}
    ).scores()["A"]
    assert found["fold"] == 3
    assert found["numbers"] == [1, 2] and found["tumor"] == [1, 0]
    assert found["log_odds"][0] == pytest.approx(np.log(4), abs=1e-3)
    assert found["log_odds"][1] == pytest.approx(np.log(0.25 / 254.75), abs=1e-3)


def test_neighbors_and_the_other_network_add_their_log_odds():
    logits = {"classifier": {"A": np.array([1.0, 2, 4])}, "segmenter": {"A": np.array([0.0, 1, 0])}}
    assert detect.combine("classifier", logits, "A", None, None).tolist() == [1, 2, 4]
    assert detect.combine("both", logits, "A", 0.5, None).tolist() == [1, 2.5, 4]
    # Mean of both neighbors; the first and last slice stand in for the neighbor that they lack.
    assert detect.combine("classifier", logits, "A", None, 1.0).tolist() == [2.5, 4.5, 7]


def test_each_way_is_judged_with_weights_that_its_fold_did_not_choose():
    # The classifier errs once in A, the segmenter never; so fold 2 gives it all weight there is.
    classifier = {
        "A": scores(1, [-1, 3, 2], [0, 0, 1]),
        "B": scores(2, [-1, -2, 2], [0, 0, 1]),
    }
    segmenter = {
        "A": scores(1, [-1, -1, 1], [0, 0, 1]),
        "B": scores(2, [-1, -1, 1], [0, 0, 1]),
    }
    rows = detect.rows_of({"classifier": classifier, "segmenter": segmenter}, test=set())
    by = {(row["by"], row["neighbors"]): row for row in rows}
    assert len(by) == 6
    # Two tumor slices against four others: one of eight pairs is in the wrong order, one more is a tie.
    assert by["classifier", False]["auc"] == pytest.approx(6 / 8)
    assert by["segmenter", False]["auc"] == 1
    assert by["classifier", False]["weights"][0] == {"segmenter": None, "neighbors": None}
    both = by["both", False]["weights"]
    assert both[1]["segmenter"] == 1.0, "the smallest that mends A is chosen for B"
    assert both[0]["segmenter"] == detect.SEGMENTER_WEIGHTS[0], "B needs none"


def test_test_patients_choose_nothing_and_other_slices_are_refused():
    one = {"A": scores(1, [0, 1], [0, 1]), "B": scores(2, [3, 1], [0, 1])}
    rows = detect.rows_of({"segmenter": one}, test={"B"})
    assert [row["by"] for row in rows] == ["segmenter", "segmenter"]
    assert rows[0]["patients"] == 2 and rows[0]["slices"] == 4
    other = {"A": scores(1, [0, 1], [1, 1]), "B": scores(2, [3, 1], [0, 1])}
    with pytest.raises(ValueError, match="same slices"):
        detect.rows_of({"classifier": one, "segmenter": other}, test=set())


def test_the_command_says_what_it_lacks(tmp_path, capsys):
    words = ["detect", "--assets", str(tmp_path), "--segmenter", "unet", "--classifier", "resnet50"]
    assert main(words) == 1
    assert "no cross-validation of resnet50 and unet" in capsys.readouterr().out
    made = {
        "quick": False,
        "complete": True,
        "command": "x",
        "run": "y",
        "split_sha256": "z",
        "data": {},
    }
    metrics, splits = tmp_path / "metrics", tmp_path / "splits"
    metrics.mkdir()
    splits.mkdir()
    (splits / "patients.json").write_bytes((paths.ASSETS / "splits" / "patients.json").read_bytes())
    names = load_split()["train"][:2]
    own = {name: scores(n, [0, 1], [0, 1]) for n, name in enumerate(names)}
    (metrics / "crossval_unet.json").write_text(json.dumps({**made, "slice_scores": own}))
    (metrics / "crossval_resnet50.json").write_text(json.dumps(made))
    assert main(words) == 0
    found = json.loads((metrics / "detection.json").read_text())
    assert not found["complete"] and found["lacks"] == ["scores of slices by resnet50"]
    assert [row["auc"] for row in found["rows"]] == [1, 1]
    # A head on the segmenter's encoder is scored beside them.
    for name in ("resnet50", "unet_head"):
        (metrics / f"crossval_{name}.json").write_text(json.dumps({**made, "slice_scores": own}))
    assert main(words) == 0
    found = json.loads((metrics / "detection.json").read_text())
    assert found["complete"] and [each["name"] for each in found["sources"]][-1] == "unet_head"
    assert [row["by"] for row in found["rows"]][::2] == ["classifier", "segmenter", "head", "both"]
