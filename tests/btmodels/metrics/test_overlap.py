"""Scores against manually calculated fractions."""

import numpy as np
import pytest

from btmodels.metrics.classification import (
    average_precision,
    calibration_error,
    precision_recall_curve,
    reliability,
    roc_auc,
    roc_curve,
    sensitivity_at_specificity,
)
from btmodels.metrics.overlap import (
    Counts,
    count,
    dice,
    empty_mask_accuracy,
    iou,
    mean_of,
    median_of,
    pixel_accuracy,
    precision,
    recall,
    score_by_size,
    score_patient,
    total,
)

# prediction  1 1   truth  1 0
#             0 1          1 1
PREDICTION = np.array([[1, 1], [0, 1]], bool)
TRUTH = np.array([[1, 0], [1, 1]], bool)
EMPTY = np.zeros((2, 2), bool)


def test_counts_of_a_two_by_two_mask():
    assert count(PREDICTION, TRUTH) == Counts(tp=2, fp=1, fn=1, tn=0)


def test_counts_refuse_masks_of_two_shapes():
    with pytest.raises(ValueError, match=r"\(2, 2\).*\(2, 3\)"):
        count(PREDICTION, np.zeros((2, 3), bool))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (dice, 4 / 6),
        (iou, 2 / 4),
        (precision, 2 / 3),
        (recall, 2 / 3),
        (pixel_accuracy, 2 / 4),
        (empty_mask_accuracy, 1 / 4),
    ],
)
def test_scores_are_exact_fractions(score, expected):
    assert score(count(PREDICTION, TRUTH)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("score", [dice, iou, precision, recall])
def test_undefined_scores_are_none_not_nan(score):
    assert score(count(EMPTY, EMPTY)) is None


def test_a_mask_on_an_empty_truth_scores_zero():
    counts = count(PREDICTION, EMPTY)
    assert dice(counts) == 0 and precision(counts) == 0 and recall(counts) is None


def test_a_patient_is_scored_on_the_counts_of_all_slices_together():
    slices = [Counts(2, 1, 1, 0), Counts(0, 0, 0, 4), Counts(0, 1, 0, 3), Counts(0, 0, 2, 2)]
    scores = score_patient(slices)
    assert scores == {
        "dice": pytest.approx(4 / 9),
        "iou": pytest.approx(2 / 7),
        "precision": pytest.approx(2 / 4),
        "recall": pytest.approx(2 / 5),
        "tumor_slice_dice": pytest.approx((4 / 6 + 0) / 2),
        "detected": True,
        "tumor_pixels": 5,
        "tumor_slices": 2,
        "empty_slices": 2,
        "false_alarm_slices": 1,
        "slices": 4,
    }


def test_a_patient_without_tumor_and_without_a_mark_has_no_dice():
    scores = score_patient([Counts(0, 0, 0, 4)])
    assert scores["dice"] is scores["detected"] is None and scores["tumor_slices"] == 0


def test_marking_beside_a_tumor_does_not_detect_it():
    assert score_patient([Counts(0, 3, 2, 0), Counts(0, 1, 0, 4)])["detected"] is False
    assert score_patient([Counts(1, 3, 9, 0)])["detected"] is True


def test_slices_are_grouped_by_the_tumors_size():
    slices = [
        Counts(0, 5, 0, 95),  # without tumor: in no group
        Counts(0, 9, 1, 90),  # 1 pixel
        Counts(99, 0, 0, 1),  # 99
        Counts(50, 0, 50, 0),  # 100: the next group
        Counts(3000, 0, 0, 0),
    ]
    small, larger, *between, largest = score_by_size(slices)
    assert small == {"from": 1, "to": 100, "slices": 2, "dice": 0.5, "found": 0.5}
    assert larger["slices"] == 1 and larger["dice"] == pytest.approx(100 / 150)
    assert [(row["from"], row["to"]) for row in between] == [(300, 1000), (1000, 3000)]
    assert [(row["slices"], row["dice"], row["found"]) for row in between] == [(0, None, None)] * 2
    assert largest == {"from": 3000, "to": None, "slices": 1, "dice": 1.0, "found": 1.0}


def test_total_of_nothing_is_zero():
    assert total([]) == Counts(0, 0, 0, 0)


def test_means_leave_out_what_is_undefined():
    assert mean_of([0.5, None, 1.0]) == 0.75
    assert median_of([0.2, None, 0.4, 1.0]) == 0.4
    assert mean_of([None]) is None and median_of([]) is None


def test_auc_counts_pairs():
    # Pairs (positive, negative): 3 > 1, 3 > 2, 2 = 2 (half), 2 > 1: 3.5 of 4.
    assert roc_auc(np.array([3, 2, 2, 1]), np.array([1, 1, 0, 0])) == 3.5 / 4
    assert roc_auc(np.array([1, 2]), np.array([1, 1])) is None


def test_roc_curve_takes_ties_in_one_step():
    false_positive_rate, true_positive_rate = roc_curve(np.array([2, 1, 3, 2]), [0, 0, 1, 1])
    assert false_positive_rate.tolist() == [0, 0, 0.5, 1]
    assert true_positive_rate.tolist() == [0, 0.5, 1, 1]


def test_precision_recall_curve_has_a_point_a_score():
    recalls, precisions = precision_recall_curve(np.array([2, 1, 3, 2]), [0, 0, 1, 1])
    assert recalls.tolist() == [0.5, 1, 1]
    assert precisions.tolist() == [1, 2 / 3, 2 / 4]


@pytest.mark.parametrize("labels", [[1, 1], [0, 0], []])
def test_without_a_class_there_is_no_curve(labels):
    scores = np.arange(len(labels))
    assert [len(axis) for axis in roc_curve(scores, labels)] == [0, 0]
    drawn = [len(axis) for axis in precision_recall_curve(scores, labels)]
    assert drawn == ([2, 2] if any(labels) else [0, 0])


def test_average_precision_by_hand():
    # Ranked: hit (1/1), miss, hit (2/3): (1 + 2/3) / 2.
    found = average_precision(np.array([0.9, 0.8, 0.7]), np.array([1, 0, 1]))
    assert found == pytest.approx(5 / 6)
    assert average_precision(np.array([0.5, 0.5]), np.array([1, 0])) == pytest.approx(1 / 2)
    assert average_precision(np.array([0.5]), np.array([0])) is None


def test_sensitivity_at_specificity_allows_one_in_twenty():
    negatives = np.arange(20)  # one of 20 may be above: threshold is 18
    scores = np.r_[negatives, [18.5, 17.5]]
    labels = np.r_[np.zeros(20), [1, 1]]
    assert sensitivity_at_specificity(scores, labels) == 0.5


def test_reliability_by_hand():
    rows = reliability(np.array([0.25, 0.95, 0.25, 1.0]), [1, 1, 0, 1])
    assert rows == [(0.25, 0.5, 2), (pytest.approx(0.975), 1.0, 2)]
    assert reliability(np.array([0.25, 0.75]), [0, 1], bins=1) == [(0.5, 0.5, 2)]
    assert reliability(np.array([]), []) == []


def test_calibration_error_by_hand():
    # Bin 0.2: says 0.25 twice, one of two true: gap 0.25. Bin 0.9: says 0.95, true: gap 0.05.
    found = calibration_error(np.array([0.25, 0.25, 0.95]), np.array([1, 0, 1]))
    assert found == pytest.approx((0.5 + 0.05) / 3)
    assert calibration_error(np.array([]), np.array([])) is None
