import numpy as np
import pytest

from btmodels.transforms.postprocess import sigmoid
from train.fit import select
from train.fit.select import (
    choose_for_classifier,
    choose_for_segmenter,
    fit_temperature,
    fit_verdict,
    fit_verdict_with_neighbors,
)
from train.fit.subset import Subset


def test_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 2, 20_000)
    labels = rng.random(20_000) < sigmoid(honest)
    assert fit_temperature(honest * 3, labels) == pytest.approx(3, rel=0.1)
    assert fit_temperature(honest, labels) == pytest.approx(1, rel=0.1)


def test_one_class_alone_leaves_the_temperature():
    assert fit_temperature(np.array([1.0, 2.0]), np.array([True, True])) == 1.0


def test_a_verdict_is_a_calibrated_line_on_the_score():
    rng = np.random.default_rng(0)
    scores = rng.normal(-2, 4, 20_000)
    labels = rng.random(20_000) < sigmoid(0.5 * scores + 1)
    found = fit_verdict(scores, labels)
    assert found["slope"] == pytest.approx(0.5, abs=0.03)
    assert found["intercept"] == pytest.approx(1, abs=0.05)
    # Of a calibrated probability, sensitivity + specificity are best at the share of the class.
    assert found["threshold"] == pytest.approx(labels.mean(), abs=0.08)
    assert fit_verdict(scores[labels], labels[labels]) is None


def test_the_neighbors_weight_is_the_one_that_tells_slices_apart_best():
    # A tumor's middle slice is faint, and a speck stands alone: 1 + 3 w against 2.5 - 3 w, even at 0.25.
    scores = [np.array([-3.0, 3, 1, 3, -3]), np.array([-3.0, -3, 2.5, -3, -3])]
    labels = [np.array([0, 1, 1, 1, 0], bool), np.zeros(5, bool)]
    found = fit_verdict_with_neighbors(scores, labels)
    assert found["neighbor_weight"] == 0.5, "the smallest of those that tell all apart"
    assert set(found) == {"slope", "intercept", "threshold", "neighbor_weight"}
    assert fit_verdict_with_neighbors([scores[1]], [labels[1]]) is None


def subset(masks, patients):
    masks = np.asarray(masks, np.uint8)
    return Subset(np.zeros((*masks.shape, 3), np.uint8), masks, tuple(patients))


class SaysItsFirstPixel:
    """A stand-in classifier whose logit is the brightness at one place, the same when mirrored."""

    input_shape = (None, 16, 16, 3)

    def predict_on_batch(self, batch):
        return batch.max(axis=(1, 2, 3))[:, None] * 2 - 5


def test_the_classifiers_threshold_parts_the_classes_near_a_half():
    masks = np.zeros((6, 16, 16))
    masks[3:, 0, 0] = 255
    slices = subset(masks, "aabbcc")
    slices.pixels[:, 4:12, 4:12] = 100
    slices.pixels[:3, 4:12, 4:8] = 140  # a spread of brightness: no bright spot stands out
    slices.pixels[3:, 5, 5] = 250  # one bright spot, far above the rest
    chosen = choose_for_classifier(SaysItsFirstPixel(), slices)
    assert chosen["validation_auc"] == 1.0 and chosen["threshold"] == 0.5
    assert chosen["flips"] is True and chosen["min_component_pixels"] == 0


class MarksTooMuch:
    """A stand-in network: sure of a block, half sure of its rim, and of a speck that is not there."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, batch):
        logits = np.full((*batch.shape[:3], 1), -8.0, np.float32)
        logits[:, 8:24, 8:24] = 0.1  # 0.52: the rim is not in the truth
        logits[:, 10:22, 10:22] = 8.0
        logits[:, 28:30, 28:31] = 8.0  # six pixels of nothing
        return logits


def test_of_equally_good_settings_the_one_with_fewest_false_alarms_is_taken():
    masks = np.zeros((3, 32, 32))
    masks[0, 10:22, 10:22] = 255

    class SpeckOnEmptySlices(MarksTooMuch):
        def predict_on_batch(self, batch):
            logits = super().predict_on_batch(batch)
            logits[0, 28:30] = -8.0  # none on the slice with tumor: its Dice is not touched
            logits[1:, :26] = -8.0
            return logits

    chosen = choose_for_segmenter(SpeckOnEmptySlices(), subset(masks, "abc"))
    assert chosen["validation_dice"] == 1.0 and chosen["validation_false_alarm_rate"] == 0
    assert chosen["min_component_pixels"] == 80, "the strongest that costs nothing"


def test_the_segmenters_dials_remove_the_rim_and_the_speck():
    masks = np.zeros((2, 32, 32))
    masks[:, 10:22, 10:22] = 255
    chosen = choose_for_segmenter(MarksTooMuch(), subset(masks, "ab"))
    assert chosen["validation_dice"] == 1.0
    assert chosen["threshold"] > 0.52 and chosen["min_component_pixels"] == 80


class SeesOneSide:
    """A stand-in that misses the left half of what it is shown, and is sure of the right."""

    input_shape = (None, 32, 32, 3)

    def predict_on_batch(self, batch):
        logits = np.full((*batch.shape[:3], 1), -8.0, np.float32)
        logits[:, 10:22, 10:16] = -1.0
        logits[:, 10:22, 16:22] = 8.0
        return logits


def test_flips_are_taken_where_averaging_beats_the_mean_of_both_views():
    masks = np.zeros((2, 32, 32))
    masks[:, 10:22, 10:22] = 255
    chosen = choose_for_segmenter(SeesOneSide(), subset(masks, "ab"))
    assert chosen["flips"] and chosen["validation_dice"] == 1.0
    assert not choose_for_segmenter(MarksTooMuch(), subset(masks, "ab"))["flips"]


def test_a_small_network_is_judged_at_the_slices_own_size():
    masks = np.zeros((2, 64, 64))
    masks[:, 20:44, 20:44] = 255  # 12 x 12 of the network's pixels
    chosen = choose_for_segmenter(MarksTooMuch(), subset(masks, "ab"))
    # The speck of 2 x 3 network pixels has about 24 of the slice's: the clean-up of 20 leaves it.
    assert chosen["min_component_pixels"] >= 40
    assert chosen["validation_dice"] > 0.98


CUTS = [{"probability": p, "mean_dice": d} for p, d in ((0.2, 0.80), (0.4, 0.84), (0.6, 0.80))]


def test_folds_decide_between_thresholds_that_validation_cannot_tell_apart(monkeypatch):
    monkeypatch.setattr(select, "fit_temperature", lambda logits, labels: 1.0)
    masks = np.zeros((2, 32, 32))
    masks[:, 10:22, 10:22] = 255

    class Sure(MarksTooMuch):
        def predict_on_batch(self, batch):
            return np.where(super().predict_on_batch(batch) > 1, 8.0, -8.0)

    slices = subset(masks, "ab")
    assert choose_for_segmenter(Sure(), slices)["threshold"] == 0.2, "the first of equals"
    chosen = choose_for_segmenter(Sure(), slices, CUTS)
    assert chosen["threshold"] == 0.4 and chosen["validation_dice"] == 1.0
    # What validation rejects is not taken, however good it was out of fold: the rim is at 0.52.
    low = [{"probability": 0.2, "mean_dice": 0.9}, {"probability": 0.7, "mean_dice": 0.1}]
    assert choose_for_segmenter(MarksTooMuch(), slices, low)["threshold"] == 0.55


def test_a_threshold_is_looked_up_as_it_was_before_the_temperature():
    entry = {"threshold": 0.4, "temperature": 2.0}
    # logit(0.4) = -0.405; twice that is the logit of 0.308, between 0.80 at 0.2 and 0.84 at 0.4.
    assert select._out_of_fold(entry, CUTS) == pytest.approx(0.80 + 0.04 * 0.1077 / 0.2, abs=1e-4)
    assert select._out_of_fold(entry | {"temperature": 1.0}, CUTS) == pytest.approx(0.84)
