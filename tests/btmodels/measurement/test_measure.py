"""Masks cut, cleaned and measured, against numbers that can be counted by eye."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from btmodels.measurement.measure import measure, with_verdict
from btmodels.slices import Prediction, Slice, Verdict
from btmodels.transforms.postprocess import binarize, head_mask, quantized_threshold, smallest_part
from tests import fakes

RECORD = replace(fakes.record("resunet"), threshold=0.5, min_component_pixels=0)
CLASSIFIER = replace(RECORD, name="resnet50", threshold=0.3)


@pytest.mark.parametrize(
    ("threshold", "lowest"),
    [(0.0, 1), (0.001, 1), (0.2, 51), (0.4, 102), (0.5, 128), (0.6, 153), (0.998, 255), (1.0, 255)],
)
def test_quantized_threshold(threshold, lowest):
    assert quantized_threshold(threshold) == lowest


def test_every_level_as_a_threshold_marks_itself():
    assert [quantized_threshold(n / 255) for n in range(1, 256)] == list(range(1, 256))


def test_cut_at_a_threshold():
    probability_map = np.array([[0, 127, 128], [129, 255, 1]], np.uint8)
    assert binarize(probability_map, 0.5).tolist() == [[False, False, True], [True, True, False]]
    assert binarize(probability_map, 0.0).tolist() == [[False, True, True], [True, True, True]]
    assert binarize(probability_map, 1.0).sum() == 1


def test_small_parts_are_dropped_and_corners_connect():
    probability_map = np.array(
        [
            [9, 0, 0, 9, 9],
            [0, 9, 0, 0, 0],
            [0, 0, 9, 0, 9],
        ],
        np.uint8,
    )
    parts = {1: 6, 2: 5, 3: 3, 4: 0}  # smallest part kept: pixels left
    assert {least: int(binarize(probability_map, 0.01, least).sum()) for least in parts} == parts
    np.testing.assert_array_equal(binarize(probability_map, 0.01, 3), np.eye(3, 5, dtype=bool))


def test_a_map_of_square_pixels_is_measured_in_the_slices_own_ones():
    probability_map = np.zeros((40, 100), np.uint8)
    probability_map[10:20, 50:60] = 255
    each = Slice("x", np.full((40, 20, 3), 90, np.uint8), spacing=(1.0, 5.0))
    found = measure(
        each, Prediction(0.9, probability_map), RECORD, CLASSIFIER, "resunet", "resnet50"
    )
    assert found.mask.shape == (40, 20) and found.marked_pixels == 20
    with pytest.raises(ValueError, match="slice's size"):
        measure(
            replace(each, spacing=None),
            Prediction(0.9, probability_map),
            RECORD,
            CLASSIFIER,
            "resunet",
            "resnet50",
        )


def a_head(rows=40, cols=50) -> np.ndarray:
    """A 20 x 20 head with a dark hole of 4 x 4 inside, and a bright speck of 2 x 2 far from it."""
    pixels = np.zeros((rows, cols, 3), np.uint8)
    pixels[10:30, 10:30] = 120
    pixels[15:19, 15:19] = 0
    pixels[35:37, 40:42] = 200
    return pixels


def test_the_head_is_the_largest_part_with_its_holes_filled():
    expected = np.zeros((40, 50), bool)
    expected[10:30, 10:30] = True
    np.testing.assert_array_equal(head_mask(a_head()), expected)


def test_the_head_is_sought_in_flair():
    pixels = a_head()
    pixels[..., [0, 2]] = 0
    assert head_mask(pixels).sum() == 400
    pixels[..., 1] = 0
    pixels[..., 0] = 255
    assert not head_mask(pixels).any()


def test_a_brain_within_a_ring_of_scalp_belongs_to_the_head():
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[5:35, 5:35] = 200
    pixels[6:34, 6:34] = 0  # a ring of one pixel
    pixels[10:30, 10:30] = 150
    assert head_mask(pixels).sum() == 30 * 30


def test_a_head_at_the_edge_keeps_its_bays_open():
    pixels = np.full((20, 20, 3), 90, np.uint8)
    pixels[5:15, :10] = 0  # a bay that reaches the edge is air, not a hole
    assert head_mask(pixels).sum() == 400 - 100


@pytest.mark.parametrize("level", [0, 7, 255])
def test_without_contrast_there_is_no_head(level):
    assert not head_mask(np.full((30, 30, 3), level, np.uint8)).any()


def test_a_speck_is_no_head():
    pixels = np.zeros((40, 50, 3), np.uint8)
    pixels[0, :5] = 255
    assert not head_mask(pixels).any()


def analyze(probability_map, probability=0.9, truth=None, notes=(), pixels=None, **options):
    pixels = a_head() if pixels is None else pixels
    each = Slice("x.tif", pixels, truth=truth, notes=notes)
    records = options.pop("records", (RECORD, CLASSIFIER))
    return measure(
        each, Prediction(probability, probability_map), *records, "resunet", "resnet50", **options
    )


def marked(rows: slice, cols: slice, level=255) -> np.ndarray:
    probability_map = np.zeros((40, 50), np.uint8)
    probability_map[rows, cols] = level
    return probability_map


def test_shares_and_dice():
    probability_map = marked(slice(20, 40), slice(10, 20))  # 10 x 10 of it within the head
    truth = marked(slice(20, 30), slice(10, 30)) > 0
    analysis = analyze(probability_map, truth=truth)
    assert analysis.marked_pixels == 200
    assert analysis.slice_share == 200 / 2000
    assert analysis.head_share == 100 / 400
    assert analysis.dice == 2 * 100 / (200 + 200)
    assert analysis.verdict == Verdict("resnet50", 0.9, 0.3) and analysis.warnings == ()
    assert (analysis.model, analysis.second_opinion) == ("resunet", None)
    assert (analysis.weights_sha256, analysis.threshold) == (RECORD.sha256, 0.5)


def test_dice_where_it_is_undefined():
    empty = np.zeros((40, 50), np.uint8)
    assert analyze(empty, 0.1, truth=empty > 0).dice is None
    assert analyze(empty, 0.1).dice is None
    assert analyze(empty, 0.1, truth=marked(slice(1), slice(1)) > 0).dice == 0
    assert analyze(empty, 0.1).warnings == ()


def test_the_threshold_of_the_record_or_of_the_hand():
    probability_map = marked(slice(15), slice(2), level=100)
    assert analyze(probability_map).marked_pixels == 0
    by_hand = analyze(probability_map, threshold=0.3)
    assert (by_hand.marked_pixels, by_hand.threshold) == (30, 0.3)


def test_small_parts_go_as_the_record_says():
    # 31 of the 40 x 50 pixels are 813 where the longer side has 256.
    records = (replace(RECORD, min_component_pixels=813), CLASSIFIER)
    assert analyze(marked(slice(15), slice(2)), records=records).marked_pixels == 0


def test_the_verdict_is_the_classifiers_and_a_contradiction_is_said():
    empty, some = np.zeros((40, 50), np.uint8), marked(slice(12, 14), slice(12, 22))
    yes = analyze(empty, probability=0.3)
    assert yes.verdict.tumor and len(yes.warnings) == 1
    assert "finds a tumor" in yes.warnings[0] and "nothing is marked" in yes.warnings[0]
    no = analyze(some, probability=0.299)
    assert not no.verdict.tumor and no.marked_pixels == 20  # a contradiction never hides the mask
    assert "finds no tumor" in no.warnings[0] and "20 pixels are marked" in no.warnings[0]
    assert no.warnings[0].endswith("contradict each other, so look closely here.")
    assert analyze(some).warnings == analyze(empty, probability=0.1).warnings == ()
    assert "(> 99.9%)" in analyze(empty, probability=0.99999).warnings[0]  # no network is certain


def test_the_verdict_is_the_segmenters_where_its_record_has_a_rule():
    rule = {"slope": 1.0, "intercept": 0.0, "threshold": 0.5}
    records = (replace(RECORD, extra={"verdict": rule}), CLASSIFIER)
    some, empty = marked(slice(12, 14), slice(12, 22), level=204), np.zeros((40, 50), np.uint8)
    yes = analyze(some, probability=0.4, records=records)
    assert yes.verdict == Verdict("resunet", pytest.approx(0.8), 0.5)  # odds of four to one
    assert yes.second_opinion == Verdict("resnet50", 0.4, 0.3) and yes.warnings == ()
    no = analyze(empty, probability=0.4, records=records)
    assert no.verdict.probability == pytest.approx(0.25 / 255) and not no.verdict.tumor
    assert len(no.warnings) == 1 and "ResNet50 classifier" in no.warnings[0]
    assert "finds a tumor" in no.warnings[0]
    # A mask that the verdict denies is said first, whatever the classifier finds.
    strict = (replace(RECORD, extra={"verdict": rule | {"threshold": 0.9}}), CLASSIFIER)
    torn = analyze(some, probability=0.4, records=strict)
    assert len(torn.warnings) == 1 and "The ResUNet finds no tumor" in torn.warnings[0]


def test_a_contradiction_says_which_answer_is_right_more_often():
    rule = {"slope": 1.0, "intercept": 0.0, "threshold": 0.9}
    records = (replace(RECORD, extra={"verdict": rule}), CLASSIFIER)
    some = marked(slice(12, 14), slice(12, 22), level=204)
    torn = analyze(some, probability=0.1, records=records)
    assert "the verdict is right more often than the mask" in torn.warnings[0]
    # The segmenter's own verdict decides, whoever gives the verdict.
    for tumor, words in ((False, "the verdict is right"), (True, "the mask is right")):
        own = replace(torn.verdict, threshold=0.1 if tumor else 0.9)
        by_classifier = with_verdict(torn, torn.second_opinion, own)
        assert f"{words} more often than the" in by_classifier.warnings[0]
    waits = with_verdict(torn, torn.second_opinion, replace(torn.verdict, neighbors=None))
    assert "right more often" not in waits.warnings[0]
    second = analyze(np.zeros((40, 50), np.uint8), probability=0.4, records=records)
    assert "the ResUNet is right more often" in second.warnings[0]


def test_notes_missing_head_and_unfinished_weights_are_warnings():
    black = np.zeros((40, 50, 3), np.uint8)
    records = (replace(RECORD, complete=False), replace(CLASSIFIER, complete=False))
    analysis = analyze(
        np.zeros((40, 50), np.uint8), 0.1, notes=("A note.",), pixels=black, records=records
    )
    assert analysis.head_share is None and not analysis.head.any()
    note, head, segmenter, classifier = analysis.warnings
    assert note == "A note." and "No head" in head
    assert "ResUNet" in segmenter and "ResNet50" in classifier


def test_a_prediction_of_another_size_is_refused():
    with pytest.raises(ValueError, match="probability_map.shape=\\(4, 4\\)"):
        analyze(np.zeros((4, 4), np.uint8))


@pytest.mark.parametrize("side", [48, 64, 128, 256, 512, 1024])
def test_the_same_slice_keeps_the_same_parts_at_any_size(side):
    # Parts of 156 and 30 pixels at 256 x 256, around a smallest part of 80.
    probability_map = np.zeros((256, 256), np.uint8)
    probability_map[40:52, 40:53] = 255
    probability_map[200:205, 200:206] = 255
    resized = cv2.resize(probability_map, (side, side), interpolation=cv2.INTER_AREA)
    mask = binarize(resized, 0.5, smallest_part(80, side, side))
    marked = np.argwhere(mask) / side * 256
    assert len(marked) and (np.abs(marked - 46) < 9).all()


def test_the_smallest_part_counts_where_the_longer_side_has_256_pixels():
    assert [smallest_part(80, side, side) for side in (64, 256, 1024)] == [5, 80, 1280]
    assert smallest_part(80, 100, 256) == smallest_part(80, 256, 100) == 80
    assert smallest_part(0, 64, 64) == 0
