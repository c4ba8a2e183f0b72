"""Variants are compared patient by patient, and test patients have no say."""

import json
import shutil

import keras
import pytest

from btmodels.metrics.overlap import Counts
from tests.train.tiny import use_small_networks
from train.__main__ import main
from train.experiments.folds import HALF, THRESHOLDS
from train.experiments.screen import BASELINE, VARIANTS, score


def counts(dice: float, best: int = HALF) -> list[list[Counts]]:
    """One slice at every threshold, with this Dice at ``best`` and half of it elsewhere."""
    values = [dice if threshold == best else dice / 2 for threshold in range(len(THRESHOLDS))]
    return [[Counts(round(100 * value), 0, 200 - 2 * round(100 * value), 0)] for value in values]


def test_only_deciding_patients_are_scored_but_all_are_listed():
    found = score([{"a": counts(0.8), "t": counts(0.2)}, {"b": counts(0.6)}], ["a", "b"])
    assert set(found["patients"]) == {"a", "b", "t"}
    assert found["patients"]["t"] == pytest.approx(0.2, abs=0.02)
    assert found["mean_dice"] == pytest.approx(
        (found["patients"]["a"] + found["patients"]["b"]) / 2
    )


def test_a_fold_is_cut_at_what_is_best_for_the_others():
    low = THRESHOLDS.index(0.2)
    folds = [{"a": counts(0.8, best=low)}, {"b": counts(0.6, best=low), "c": counts(0.6, best=low)}]
    found = score(folds, ["a", "b", "c"])
    whole = [counts_dice(0.8), counts_dice(0.6), counts_dice(0.6)]
    assert found["chosen_cut"] == pytest.approx(sum(whole) / 3)
    assert found["mean_dice"] < found["chosen_cut"]
    # A test patient's own best threshold moves nobody's.
    folds[0]["t"] = counts(1.0, best=0)
    assert score(folds, ["a", "b", "c"])["chosen_cut"] == found["chosen_cut"]


def counts_dice(value: float) -> float:
    (each,) = counts(value)[HALF]
    return 2 * each.tp / (2 * each.tp + each.fp + each.fn)


@pytest.mark.usefixtures("eager")
def test_the_screen_runs_from_one_end_to_the_other(tmp_path, monkeypatch):
    use_small_networks(monkeypatch)
    words = ["screen", "--quick", "--assets", str(tmp_path), "--runs", str(tmp_path / "runs")]
    path = tmp_path / "metrics" / "screen.json"
    keys = ["baseline", "copy_paste"]
    assert main([*words, "--variants", "baseline"]) == 0
    assert main([*words, "--folds", "2", "--variants", "copy_paste"]) == 0
    half = json.loads(path.read_text(encoding="utf-8"))["variants"][-1]
    assert half["folds"] == [2] and 0 < half["compared_patients"] <= len(half["patients"])
    assert "--folds" not in half["command"]
    assert main([*words, "--variants", *keys]) == 0
    found = json.loads(path.read_text(encoding="utf-8"))
    assert [(row["key"], row["weights"]) for row in found["variants"]] == [
        ("baseline", "last"),
        ("baseline", "averaged"),
        ("copy_paste", "last"),
    ]
    first, averaged, pasted = found["variants"]
    assert first["against"] is None and first["difference"] is None
    assert averaged["against"] == ["baseline", "last"] and pasted["against"] == ["baseline", "last"]
    assert pasted["options"] == {"paste": 0.4}
    assert pasted["command"].endswith("--variants copy_paste")
    assert pasted["difference"] == pytest.approx(pasted["mean_dice"] - first["mean_dice"])
    assert not found["complete"] and found["lacks"] == [
        each.title for each in VARIANTS if each.key not in keys
    ]
    assert len({row["run"] for row in found["variants"]}) == len(keys)
    # Counts of finished folds are enough to continue elsewhere, and without a name nothing is trained.
    shutil.rmtree(tmp_path / "runs" / "experiments")
    assert main([*words, "--variants"]) == 0
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again["variants"] == found["variants"]
    keras.config.set_dtype_policy("float32")


def test_variants_have_keys_of_their_own_and_the_baseline_changes_nothing():
    assert BASELINE.options() == {} and BASELINE is VARIANTS[0]
    assert len({each.key for each in VARIANTS}) == len(VARIANTS)
    assert all(each.options() for each in VARIANTS[1:])
