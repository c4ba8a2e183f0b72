"""A segmenter and a classifier scored on three made-up patients, every figure calculated manually."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tifffile

from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.registry import Record
from tests import fakes
from train.evaluate.scoring import score_masks, score_verdicts

MIXED, CLEAR, HALF = (f"TCGA_ZZ_000{number}_20000101" for number in (1, 2, 3))
SEGMENTER = replace(fakes.record("resunet"), threshold=0.5, min_component_pixels=0)
BLOCK, HALF_BLOCK = np.s_[:10, :10], np.s_[:10, :5]
SMALL, SPECK = np.s_[5:7, 5:7], np.s_[15, 15:18]
SLICES = {  # truth, what is marked, what the classifier says
    MIXED: [(BLOCK, BLOCK, 0.9), (None, SPECK, 0.1), (SMALL, None, 0.8)],
    CLEAR: [(None, None, 0.4)],
    HALF: [(BLOCK, HALF_BLOCK, 0.2)],
}


class ReadsChannels:
    """Stands in for both networks: FLAIR holds the levels, the first pixel the classifier's answer."""

    def __init__(self, record: Record = SEGMENTER) -> None:
        self.record, self.asked = record, 0

    def segment(self, images):
        self.asked += len(images)
        return [image[..., 1] for image in images]

    def classify(self, images):
        self.asked += len(images)
        return np.array([image[0, 0, 0] / 100 for image in images])


CLASSIFIER = replace(SEGMENTER, name="resnet50", sha256="ef" * 32, threshold=0.4)


@pytest.fixture
def patients(tmp_path):
    for folder, slices in SLICES.items():
        place = tmp_path / "kaggle_3m" / folder
        place.mkdir(parents=True)
        for number, (truth, marked, said) in enumerate(slices, 1):
            pixels, mask = np.zeros((20, 20, 3), np.uint8), np.zeros((20, 20), np.uint8)
            pixels[..., 0] = round(100 * said)
            if marked is not None:
                pixels[(*marked, 1)] = 255
            if truth is not None:
                mask[truth] = 255
            tifffile.imwrite(place / f"{folder}_{number}.tif", pixels, photometric="rgb")
            tifffile.imwrite(place / f"{folder}_{number}_mask.tif", mask)
    return cohort.read_cohort(tmp_path)


@pytest.fixture
def scores(patients):
    return score_masks(ReadsChannels(), patients, ReadsChannels(CLASSIFIER))


def test_patients_are_scored_on_all_their_slices(scores):
    mixed, clear, half = (scores["patients"][folder] for folder in SLICES)
    assert mixed["dice"] == pytest.approx(200 / 207) and mixed["detected"] is True
    assert (mixed["tumor_pixels"], mixed["tumor_slices"], mixed["slices"]) == (104, 2, 3)
    assert clear["dice"] is clear["detected"] is clear["hausdorff95"] is None
    assert half["dice"] == pytest.approx(100 / 150)
    assert (scores["per_slice"][MIXED]["2"], scores["per_slice"][HALF]) == (
        [0, 3, 0, 397],
        {"1": [50, 0, 50, 300]},
    )


def test_figures_of_the_subset(scores):
    assert scores["mean_dice"] == scores["median_dice"] == pytest.approx((200 / 207 + 2 / 3) / 2)
    assert scores["mean_iou"] == pytest.approx((100 / 107 + 1 / 2) / 2)
    assert scores["pooled_dice"] == pytest.approx(300 / 357)
    assert scores["tumor_slice_dice"] == pytest.approx((1 + 0 + 2 / 3) / 3)
    assert scores["false_alarm_rate"] == 1 / 2 and scores["empty_slices"] == 2
    assert scores["detection_rate"] == 1.0
    assert scores["worst"] == [HALF, MIXED]
    small, larger = scores["by_size"][:2]
    assert (small["slices"], small["dice"], small["found"]) == (1, 0, 0)
    assert (larger["slices"], larger["dice"]) == (2, pytest.approx((1 + 2 / 3) / 2))


def test_distance_is_taken_where_both_masks_hold_something(scores):
    # Half of a block is marked: ten of its outline's 36 pixels lie 5 columns from the mark.
    assert [entry["hausdorff95"] for entry in scores["patients"].values()] == [0, None, 5]
    assert scores["hausdorff95"] == 2.5


def test_every_figure_has_an_interval_around_it(scores):
    keys = [key for key in scores if key.endswith("_interval")]
    assert len(keys) == 8
    for key in keys:
        low, high = scores[key]
        assert low <= scores[key.removesuffix("_interval")] <= high, key
    assert scores["mean_dice_interval"] == pytest.approx((2 / 3, 200 / 207))


def test_pixels_are_held_against_the_truth(scores):
    calibration = scores["calibration"]
    assert calibration["pixels"][0] + calibration["pixels"][9] == sum(calibration["pixels"]) == 2000
    assert calibration["tumor"][9] == pytest.approx(150 / 153)
    assert calibration["error"] == pytest.approx(3 / 153)


def test_the_cascade_keeps_masks_where_the_classifier_says_tumor(scores):
    cascade = scores["cascade"]
    assert (cascade["classifier"], cascade["classifier_sha256"]) == ("resnet50", "ef" * 32)
    assert cascade["mean_dice"] == pytest.approx((200 / 204 + 0) / 2)
    assert cascade["tumor_slice_dice"] == pytest.approx(1 / 3)
    assert cascade["false_alarm_rate"] == 0
    assert cascade["median_dice_interval"] == pytest.approx((0, 200 / 204))


def test_the_whole_patients_clean_up_drops_the_speck(scores):
    whole = scores["whole_patient"]
    assert whole["mean_dice"] == pytest.approx((200 / 204 + 2 / 3) / 2)
    assert whole["tumor_slice_dice"] == scores["tumor_slice_dice"]
    assert whole["false_alarm_rate"] == 0 and whole["rule"].endswith("dropped.")
    assert {key for key in whole if key != "rule"} <= set(scores["cascade"])


def test_the_clean_up_within_a_slice_is_the_records(patients):
    strict = ReadsChannels(replace(SEGMENTER, min_component_pixels=4))
    scores = score_masks(strict, patients)
    assert scores["false_alarm_rate"] == 0 and scores["min_component_pixels"] == 4
    assert scores["cascade"] is None


def test_the_segmenters_own_verdicts_are_scored_where_its_record_has_a_rule(patients, scores):
    assert scores["verdict"] is None
    rule = {"slope": 1.0, "intercept": 0.0, "threshold": 0.5}
    found = score_masks(ReadsChannels(replace(SEGMENTER, extra={"verdict": rule})), patients)
    # The brightest pixel of each slice decides: it is not there in the small tumor, and is in the speck.
    assert found["verdict"]["confusion"] == {"tp": 2, "fp": 1, "fn": 1, "tn": 1}
    assert found["verdict"]["accuracy"] == pytest.approx(3 / 5)
    assert found["verdict"]["auc"] == pytest.approx(3.5 / 6)  # three ties count half
    assert found["verdict"]["threshold"] == 0.5


def test_every_slice_is_asked_about_once(patients):
    segmenter, classifier = ReadsChannels(), ReadsChannels(CLASSIFIER)
    score_masks(segmenter, patients, classifier)
    assert (segmenter.asked, classifier.asked) == (5, 5)


def test_the_document_is_json_without_nan(scores):
    text = json.dumps(scores, allow_nan=False)
    assert json.loads(text)["patients"] == scores["patients"]


def test_one_patient_has_scores_and_no_intervals(patients):
    scores = score_masks(ReadsChannels(), patients[1:2])
    assert scores["mean_dice"] is scores["mean_dice_interval"] is scores["detection_rate"] is None
    assert scores["false_alarm_rate"] == 0 and scores["false_alarm_rate_interval"] is None
    assert scores["worst"] == []


def test_verdicts_are_counted_at_the_records_threshold(patients):
    scores = score_verdicts(ReadsChannels(CLASSIFIER), patients)
    # 0.9 and 0.8 with tumor, 0.4 without, 0.2 with, 0.1 without; 0.4 counts as tumor.
    assert scores["confusion"] == {"tp": 2, "fp": 1, "fn": 1, "tn": 1}
    assert scores["accuracy"] == pytest.approx(3 / 5)
    assert scores["auc"] == pytest.approx(5 / 6)
    assert scores["patients"][HALF]["missed_slices"] == 1
    assert scores["per_slice"][MIXED] == {"1": [0.9, 1], "2": [0.1, 0], "3": [0.8, 1]}
    low, high = scores["auc_interval"]
    assert low <= 5 / 6 <= high


@pytest.mark.parametrize("score", [score_masks, score_verdicts])
def test_patients_without_masks_cannot_be_scored(score, patients):
    bare = [
        replace(patient, files=tuple(replace(file, mask=None) for file in patient.files))
        for patient in patients
    ]
    with pytest.raises(CohortError, match="mask"):
        score(ReadsChannels(), bare)
    part = score(ReadsChannels(), [bare[0], patients[2]])
    assert list(part["patients"]) == [HALF]
