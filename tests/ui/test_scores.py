"""Scores are shown only where they speak of the weights that are there."""

from __future__ import annotations

import json

import pytest

from btmodels import registry
from tests import fakes
from ui import scores


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file of scores for the fake record's weights, or other ones."""
    path = tmp_path / "resunet.json"
    monkeypatch.setattr(registry, "metrics_path", lambda name: path)
    monkeypatch.setattr(registry, "load_record", fakes.record)

    def write(**content):
        path.write_text(json.dumps({"weights_sha256": "ab" * 32} | content))

    return write


def test_scores_of_these_weights_are_read(written):
    written(subset="test", mean_dice=0.8567, mean_dice_interval=[0.81, 0.9], patients={})
    content, problem = scores.read("resunet")
    assert problem == ""
    assert scores.rows(content) == [
        {"Patients": "test, never seen", "Mean Dice of a patient": "0.857 (0.810 to 0.900)"}
    ]


def test_scores_of_other_weights_are_not(written):
    written(subset="test", mean_dice=0.99, weights_sha256="00" * 32)
    content, problem = scores.read("resunet")
    assert content == {} and "other weights" in problem


def test_no_scores_is_said(written):
    assert scores.read("resunet") == (
        {},
        "There are no scores of ResUNet in this copy of the project.",
    )


@pytest.mark.parametrize("shape", [list, lambda rows: {row["subset"]: row for row in rows}])
def test_several_subsets_in_one_file(written, shape):
    rows = [{"subset": name, "mean_dice": 0.5} for name in ("test", "samples")]
    written(subsets=shape(rows))
    content, _ = scores.read("resunet")
    assert [row["Patients"] for row in scores.rows(content)] == [
        "test, never seen",
        "bundled, synthetic",
    ]


def test_undefined_figures_have_no_column(written):
    written(subset="test", mean_dice=None, auc=0.98)
    assert scores.rows(scores.read("resunet")[0]) == [
        {"Patients": "test, never seen", "AUC": "0.980"}
    ]
