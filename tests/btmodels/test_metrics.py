"""Scores against fractions worked out by hand."""

import numpy as np
import pytest

from btmodels.metrics import (
    Counts,
    average_precision,
    bootstrap_interval,
    calibration_error,
    count,
    dice,
    empty_mask_accuracy,
    iou,
    mean_of,
    median_of,
    pixel_accuracy,
    precision,
    recall,
    roc_auc,
    score_patient,
    sensitivity_at_specificity,
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
        "empty_slices": 2,
        "false_alarm_slices": 1,
        "slices": 4,
    }


def test_a_patient_without_tumor_and_without_a_mark_has_no_dice():
    assert score_patient([Counts(0, 0, 0, 4)])["dice"] is None


def test_total_of_nothing_is_zero():
    assert total([]) == Counts(0, 0, 0, 0)


def test_means_leave_out_what_is_undefined():
    assert mean_of([0.5, None, 1.0]) == 0.75
    assert median_of([0.2, None, 0.4, 1.0]) == 0.4
    assert mean_of([None]) is None and median_of([]) is None


def test_interval_covers_the_mean_and_shrinks_to_a_constant():
    low, high = bootstrap_interval([0.7, 0.8, 0.9, 1.0])
    assert 0.7 <= low < 0.85 < high <= 1.0
    assert bootstrap_interval([0.5] * 5) == (0.5, 0.5)
    assert bootstrap_interval([0.5]) is None


def test_auc_counts_pairs():
    # Pairs (positive, negative): 3 > 1, 3 > 2, 2 = 2 (half), 2 > 1: 3.5 of 4.
    assert roc_auc(np.array([3, 2, 2, 1]), np.array([1, 1, 0, 0])) == 3.5 / 4
    assert roc_auc(np.array([1, 2]), np.array([1, 1])) is None


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


def test_calibration_error_by_hand():
    # Bin 0.2: says 0.25 twice, one of two true: gap 0.25. Bin 0.9: says 0.95, true: gap 0.05.
    found = calibration_error(np.array([0.25, 0.25, 0.95]), np.array([1, 0, 1]))
    assert found == pytest.approx((0.5 + 0.05) / 3)
    assert calibration_error(np.array([]), np.array([])) is None
