"""The student is taught by networks that never met its fold, and by nothing of the fold."""

import json

import keras
import numpy as np
import pytest

from btmodels.training.fitting import read_weights
from tests.train.tiny import use_small_networks
from train.__main__ import main
from train.experiments import crossval
from train.experiments.crossval import train_on_others
from train.fit.distill import soften
from train.fit.subset import Subset


def always(logit: float) -> keras.Model:
    """Return a segmenter with the same logit everywhere."""
    inputs = keras.Input((4, 4, 3))
    return keras.Model(inputs, keras.ops.zeros_like(inputs[..., :1]) + logit)


def test_masks_are_softened_by_the_mean_of_the_teachers_outside_the_fold_alone():
    masks = np.zeros((2, 4, 4), np.uint8)
    masks[:, 0] = 255
    slices = Subset(np.zeros((2, 4, 4, 3), np.uint8), masks, ("taught", "fold"), (1, 1))
    soft = soften(slices, [always(50), always(-50)], without=["fold"])
    # 0.6 of the annotator's 1 or 0, and 0.4 of the teachers' mean of 1/2.
    assert np.unique(soft.masks[0, 0]) == [round(0.8 * 255)]
    assert np.unique(soft.masks[0, 1:]) == [round(0.2 * 255)]
    assert (soft.masks[1] == masks[1]).all() and (masks[:, 0] == 255).all()
    assert soft.has_tumor.tolist() == [True, True] and soft.patients == slices.patients


@pytest.mark.usefixtures("eager")
def test_a_student_continues_its_teachers_and_its_file_names_them(tmp_path, monkeypatch, capsys):
    use_small_networks(monkeypatch)
    words = ["crossval", "--quick", "--assets", str(tmp_path), "--runs", str(tmp_path / "runs")]
    student = [*words, "--network", "resunet_distilled"]
    assert main(student) == 1 and "needs" in capsys.readouterr().out
    assert main([*words, "--network", "resunet", "--teachers", "run"]) == 1
    assert main([*student, "--teachers", "run"]) == 1
    assert "0 runs begin with run" in capsys.readouterr().out

    def document(network: str) -> dict:
        path = tmp_path / "metrics" / f"crossval_{network}.json"
        return json.loads(path.read_text(encoding="utf-8"))

    assert main([*words, "--network", "resunet"]) == 0
    teacher = document("resunet")
    begun = []

    def train(budget, dataset, model, *more):
        begun.append((model.get_weights(), dataset.slices.masks))
        return train_on_others(budget, dataset, model, *more)

    monkeypatch.setattr(crossval, "train_on_others", train)
    beginning = teacher["run"].rpartition("-")[0]
    (tmp_path / "runs" / "experiments" / "crossval-empty").mkdir()
    assert main([*student, "--teachers", "crossval-empty"]) == 1
    assert "no trained network" in capsys.readouterr().out
    assert main([*student, "--teachers", beginning]) == 0
    found = document("resunet_distilled")
    assert found["teachers"] == [teacher["run"]] and found["run"] != teacher["run"]
    assert set(found["comparisons"]) == {"resunet"} and found["complete"]
    for number, (weights, masks) in enumerate(begun, start=1):
        taught = tmp_path / "runs" / "experiments" / teacher["run"] / f"fold-{number}" / "best.npz"
        assert all(map(np.array_equal, weights, read_weights(taught)))
        assert len(np.unique(masks)) > 2, "soft"
