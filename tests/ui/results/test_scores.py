"""Scores are shown only if they belong to the present weights."""

from __future__ import annotations

import json
import os

import pytest

from btmodels import registry
from btmodels.errors import WeightsError
from tests import fakes
from ui.results import scores

THESE, OTHERS = {"weights_sha256": "ab" * 32}, {"weights_sha256": "00" * 32}


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Write a file of scores, subset by subset."""
    path = tmp_path / "resunet.json"
    monkeypatch.setattr(registry, "metrics_path", lambda name: path)
    monkeypatch.setattr(registry, "verify_weights", fakes.record)
    return lambda **subsets: path.write_text(json.dumps({"model": "resunet"} | subsets))


def test_scores_of_these_weights_are_read(written):
    test = {"mean_dice": 0.8567, "mean_dice_interval": [0.81, 0.9], "auc": None, "patients": {}}
    written(samples=THESE | {"mean_dice": 0.9}, test=THESE | test)
    scored, problem = scores.read("resunet")
    assert problem == ""
    assert list(scored) == ["test", "samples"]
    assert scores.shown_of(scored["test"], "mean_dice") == "0.857 (0.81 to 0.90)"
    assert scores.shown_of(scored["samples"], "mean_dice") == "0.900"
    assert scores.shown_of(scored["test"], "auc") == "–"


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


def test_weights_that_are_not_the_recorded_ones_have_no_scores(written, monkeypatch):
    def altered(name):
        raise WeightsError("It has been altered.")

    written(test=THESE | {"mean_dice": 0.9})
    monkeypatch.setattr(registry, "verify_weights", altered)
    assert scores.read("resunet") == ({}, "It has been altered.")


def test_a_list_is_no_scores(written, tmp_path):
    (tmp_path / "resunet.json").write_text("[]")
    scored, problem = scores.read("resunet")
    assert scored == {} and "no scores of ResUNet" in problem


def test_what_is_evaluated_anew_is_read_anew(written, tmp_path):
    written(test=THESE | {"mean_dice": 0.8})
    assert scores.read("resunet")[0]["test"]["mean_dice"] == 0.8
    written(test=THESE | {"mean_dice": 0.9})
    os.utime(tmp_path / "resunet.json", ns=(1, 1))
    assert scores.read("resunet")[0]["test"]["mean_dice"] == 0.9


def test_the_sites_own_segmenter_comes_first_and_classifiers_last(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "record_path", lambda *_: tmp_path)
    monkeypatch.setattr(registry, "load_record", fakes.record)
    found = [network.spec for network in scores.networks()]
    assert {spec.name for spec in found} == set(registry.SPECS)
    assert found[0] == registry.get("default")
    tasks = [spec.task for spec in found]
    assert tasks == sorted(tasks, reverse=True)


def test_a_network_without_a_record_is_not_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "record_path", lambda name, *_: tmp_path / name)
    assert scores.networks() == []


@pytest.mark.parametrize(
    "interval, expected", [([0.1, 0.2], (0.1, 0.2)), ([None, 0.2], None), (None, None)]
)
def test_an_interval_has_two_ends_or_is_none(interval, expected):
    assert scores.interval_of({"auc_interval": interval}, "auc") == expected
    assert scores.interval_of({}, "auc") is None
