"""Scores are shown only where they speak of the weights that are there."""

from __future__ import annotations

import json

import pytest

from btmodels import registry
from tests import fakes
from ui import scores

THESE, OTHERS = {"weights_sha256": "ab" * 32}, {"weights_sha256": "00" * 32}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file of scores, subset by subset."""
    path = tmp_path / "resunet.json"
    monkeypatch.setattr(registry, "metrics_path", lambda name: path)
    monkeypatch.setattr(registry, "load_record", fakes.record)
    return lambda **subsets: path.write_text(json.dumps({"model": "resunet"} | subsets))


def test_scores_of_these_weights_are_read(written):
    test = {"mean_dice": 0.8567, "mean_dice_interval": [0.81, 0.9], "auc": None, "patients": {}}
    written(samples=THESE | {"mean_dice": 0.9}, test=THESE | test)
    scored, problem = scores.read("resunet")
    assert problem == ""
    assert scores.rows(scored) == [
        {
            "Figure": "Mean Dice of a patient",
            "test": "0.857 (0.81 to 0.90)",
            "synthetic": "0.900",
        }
    ]


def test_scores_of_other_weights_are_not(written):
    written(test=OTHERS | {"mean_dice": 0.99})
    scored, problem = scores.read("resunet")
    assert scored == {} and "other weights" in problem


def test_stale_subsets_are_left_out_and_named(written):
    written(test=THESE | {"mean_dice": 0.8}, validation=OTHERS | {"mean_dice": 0.99})
    scored, problem = scores.read("resunet")
    assert list(scored) == ["test"]
    assert "validation" in problem and "other weights" in problem


@pytest.mark.parametrize("text", [None, "not json"])
def test_no_scores_is_said(written, tmp_path, text):
    if text:
        (tmp_path / "resunet.json").write_text(text)
    scored, problem = scores.read("resunet")
    assert scored == {} and problem == "There are no scores of ResUNet in this copy of the project."
