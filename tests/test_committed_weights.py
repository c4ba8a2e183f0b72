"""The committed weights give the committed figures, wherever they are run."""

import json
import os
from pathlib import Path

import pytest

from btmodels import cohort, registry
from btmodels.predict import Predictor
from train.evaluate import evaluate

TRAINED = [name for name in registry.SPECS if registry.record_path(name).exists()]
SCORES = ("dice", "tumor_slice_dice", "auc", "accuracy")


def recomputed_equals_committed(name: str, subset: str, patients) -> None:
    committed = json.loads(registry.metrics_path(name).read_text(encoding="utf-8"))[subset]
    predictor = Predictor(name)
    assert committed["weights_sha256"] == predictor.record.sha256
    chosen = [patient for patient in patients if patient.folder in committed["patients"]]
    found = evaluate(name, subset, chosen[:1], predictor=predictor)
    for folder, scores in found["patients"].items():
        for key in SCORES:
            assert scores.get(key) == pytest.approx(
                committed["patients"][folder].get(key), abs=1e-3
            ), (folder, key)


def test_a_segmenter_and_a_classifier_are_committed():
    assert {registry.get(name).task for name in TRAINED} == {"segment", "classify"}


@pytest.mark.parametrize("name", TRAINED)
def test_one_synthetic_patient_scores_as_committed(name):
    recomputed_equals_committed(name, "samples", cohort.read_cohort(cohort.samples_root()))


@pytest.mark.data
@pytest.mark.parametrize("name", TRAINED)
def test_one_lgg_patient_scores_as_committed(name):
    folder = os.environ.get("BT_DATA_DIR")
    if not folder:
        pytest.skip("BT_DATA_DIR is not set")
    patients = cohort.subset_patients(Path(folder), "validation", registry.ASSETS)
    recomputed_equals_committed(name, "validation", patients)


@pytest.mark.parametrize("name", TRAINED)
def test_a_record_says_what_it_was_trained_on(name):
    record = registry.verify_weights(name)
    assert record.split_sha256 == cohort.split_sha256()
    assert 0 < record.threshold < 1 and record.temperature > 0
    assert record.extra["test_evaluations"] >= 1
    assert registry.weights_path(name).stat().st_size < 50e6
