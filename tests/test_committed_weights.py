"""The committed weights give the committed figures, wherever they are run."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.dataset import cohort
from btmodels.inference.predict import Predictor
from btmodels.metrics.classification import roc_auc
from btmodels.metrics.overlap import Counts, mean_of, score_patient
from train.evaluate.evaluate import PRECISION, evaluate

TRAINED = [name for name in registry.SPECS if registry.record_path(name).exists()]
TOLERANCES = {"hausdorff95": 0.1}
"""Of figures that are no shares: one pixel that falls on the threshold's other side moves an outline."""


@pytest.fixture(scope="module")
def classifier() -> Predictor:
    return Predictor("default-classifier", policy=PRECISION)


def recomputed_equals_committed(name: str, subset: str, patients, classifier: Predictor) -> None:
    committed = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))[subset]
    predictor = Predictor(name, policy=PRECISION)
    assert committed["weights_sha256"] == predictor.record.sha256
    patient = next(each for each in patients if each.folder in committed["patients"])
    expected = committed["patients"][patient.folder]
    headline = "dice" if registry.get(name).task == "segment" else "accuracy"
    assert expected[headline] > 0, "a patient on whom the network fails proves little"
    found = evaluate(name, subset, [patient], predictor=predictor, classifier=classifier)
    scores = found["patients"][patient.folder]
    for key, value in expected.items():
        tolerance = TOLERANCES.get(key, 1e-3)
        assert scores[key] == pytest.approx(value, abs=tolerance), (patient.folder, key)


def test_a_segmenter_and_a_classifier_are_committed():
    assert {registry.get(name).task for name in TRAINED} == {"segment", "classify"}


@pytest.mark.networks
@pytest.mark.parametrize("name", TRAINED)
def test_one_synthetic_patient_scores_as_committed(name, classifier):
    patients = cohort.read_cohort(cohort.samples_root())
    recomputed_equals_committed(name, "samples", patients, classifier)


@pytest.mark.networks
@pytest.mark.data
@pytest.mark.parametrize("name", TRAINED)
def test_one_lgg_patient_scores_as_committed(name, classifier):
    folder = os.environ.get("BT_DATA_DIR")
    if not folder:
        pytest.skip("BT_DATA_DIR is not set")
    subset = "test" if "validation" in registry.load_record(name).training_subsets else "validation"
    patients = cohort.subset_patients(Path(folder), subset, paths.ASSETS)
    recomputed_equals_committed(name, subset, patients, classifier)


@pytest.mark.parametrize("name", TRAINED)
def test_every_committed_score_speaks_of_these_weights_and_follows_from_its_slices(name):
    content = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))
    subsets = {key: each for key, each in content.items() if key != "model"}
    judged = {"validation", "test", "samples"} - set(registry.load_record(name).training_subsets)
    assert content["model"] == name and judged <= set(subsets)
    for subset, scores in subsets.items():
        assert scores["weights_sha256"] == registry.load_record(name).sha256, subset
        assert scores["split_sha256"] == cohort.split_sha256(), subset
        rows = [list(slices.values()) for slices in scores["per_slice"].values()]
        if registry.get(name).task == "segment":
            patients = [score_patient([Counts(*row) for row in slices]) for slices in rows]
            found = mean_of(patient["dice"] for patient in patients)
            assert scores["mean_dice"] == pytest.approx(found, abs=1e-9), subset
        else:
            probability, tumor = np.array([row for slices in rows for row in slices]).T
            assert scores["auc"] == pytest.approx(roc_auc(probability, tumor), abs=1e-4), subset


@pytest.mark.parametrize("name", TRAINED)
def test_a_record_says_what_it_was_trained_on(name):
    record = registry.verify_weights(name)
    assert record.split_sha256 == cohort.split_sha256()
    assert 0 < record.threshold < 1 and record.temperature > 0
    assert record.extra["test_evaluations"] >= 1
    assert all(path.stat().st_size < 50e6 for path in registry.weights_files(name).values())
