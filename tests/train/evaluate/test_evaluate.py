"""The command: which patients it takes, where it writes, what it counts."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from btmodels import registry
from tests.btmodels.conftest import write_record
from tests.train.tiny import SPLIT, make_assets, make_data
from train.__main__ import main
from train.evaluate import evaluate

SEGMENTER, CLASSIFIER = (registry.get(alias).name for alias in ("default", "default-classifier"))
[REFERENCE] = SPLIT["reference"]


class BrightIsTumor:
    """Stands in for a predictor: FLAIR above 200 is a tumor, as `tiny.make_slice` draws one."""

    def __init__(self, name, assets, policy):
        assert policy == "float32"  # a score must not hang on the machine that computes it
        self.record = registry.load_record(name, assets)

    def segment(self, images):
        return [np.where(image[..., 1] > 200, 255, 0).astype(np.uint8) for image in images]

    def classify(self, images):
        return np.array([float(mask.any()) for mask in self.segment(images)])


@pytest.fixture
def places(tmp_path, monkeypatch):
    monkeypatch.setattr(evaluate, "Predictor", BrightIsTumor)
    data, assets = make_data(tmp_path / "data", num_slices=4), make_assets(tmp_path / "assets")
    for name in (SEGMENTER, CLASSIFIER):
        write_record(name, assets, sha256="ab" * 32)
    return data, assets


@pytest.fixture
def with_reference(places):
    """The same where someone has the reference patients: here with the test patient's slices."""
    data, _ = places
    [test] = SPLIT["test"]
    folder = data / "kaggle_3m" / REFERENCE
    for file in (data / "kaggle_3m" / test).iterdir():
        shutil.copy(file, folder / file.name.replace(test, REFERENCE))
    return places


def run(places, subset, *more):
    data, assets = map(str, places)
    words = ["evaluate", "--data", data, "--assets", assets, "--subset", subset, *more]
    return main(words)


def metrics(places, name=SEGMENTER):
    return json.loads(registry.metrics_path(name, places[1]).read_text())


def test_reference_patients_are_scored_where_someone_has_them(with_reference, capsys):
    assert run(with_reference, "reference") == 0
    scores = metrics(with_reference)["reference"]
    assert list(scores["patients"]) == [REFERENCE]
    assert scores["patients"][REFERENCE]["dice"] == scores["mean_dice"] == 1.0
    assert scores["subset"] == "reference" and scores["weights_sha256"] == "ab" * 32
    assert "mean_dice" in capsys.readouterr().out
    assert run(with_reference, "reference", "--model", CLASSIFIER) == 0
    assert metrics(with_reference, CLASSIFIER)["reference"]["confusion"]["tp"] == 2


def test_reference_patients_meet_no_one_elses_scores(with_reference):
    for subset in ("validation", "reference"):
        assert run(with_reference, subset) == 0
    found = metrics(with_reference)
    assert list(found) == ["model", "validation", "reference"]
    assert list(found["validation"]["patients"]) == SPLIT["validation"]
    record = registry.load_record(SEGMENTER, with_reference[1])
    assert "test_evaluations" not in record.extra


def test_without_the_reference_patients_it_says_so(places, capsys):
    shutil.rmtree(places[0] / "kaggle_3m" / REFERENCE)
    assert run(places, "reference") == 1
    assert "none of the 1 reference patients" in capsys.readouterr().out
    assert not registry.metrics_path(SEGMENTER, places[1]).exists()


def test_a_folder_with_some_of_a_subset_is_scored_and_said(places, capsys):
    shutil.rmtree(places[0] / "kaggle_3m" / SPLIT["train"][0])
    assert run(places, "train") == 0
    assert "holds 1 of 2 train patients" in capsys.readouterr().out


def test_a_broken_slice_is_a_sentence_not_a_score(places, capsys):
    assert run(places, "reference") == 1  # its files are garbage
    assert REFERENCE in capsys.readouterr().out
    assert not registry.metrics_path(SEGMENTER, places[1]).exists()


def test_looks_at_the_test_patients_are_counted(places, tmp_path):
    for expected in (1, 2):
        assert run(places, "test", "--out", str(tmp_path / "scores.json")) == 0
        assert registry.load_record(SEGMENTER, places[1]).extra["test_evaluations"] == expected


def test_the_cascade_asks_the_default_classifier(places, capsys):
    assert run(places, "validation") == 0
    cascade = metrics(places)["validation"]["cascade"]
    assert (cascade["classifier"], cascade["mean_dice"]) == (CLASSIFIER, 1.0)
    registry.record_path(CLASSIFIER, places[1]).unlink()
    assert run(places, "validation") == 0
    assert metrics(places)["validation"]["cascade"] is None
    assert "without a classifier" in capsys.readouterr().out
