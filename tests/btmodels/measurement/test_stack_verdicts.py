"""The verdict on the slices of a stack: who gives it, and which neighbors count."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from btmodels import registry
from btmodels.geometry import VolumeGeometry
from btmodels.inference import worker
from btmodels.measurement.analyze import analyze
from btmodels.measurement.measure import measure
from btmodels.measurement.stack_verdicts import assign_verdicts, neighbors_of
from btmodels.measurement.verdict import LOGITS
from btmodels.slices import Analysis, Prediction, Slice, Verdict, VolumePosition
from btmodels.transforms.postprocess import sigmoid
from tests import fakes

ALONE = {"slope": 0.5, "intercept": 0.1, "threshold": 0.5}
BESIDE = {"slope": 0.25, "intercept": 0.2, "threshold": 0.6, "neighbor_weight": 1.0}
RECORDS = (
    replace(
        fakes.record("resunet"),
        min_component_pixels=0,
        extra={"verdict": ALONE, "verdict_with_neighbors": BESIDE},
    ),
    fakes.record("resnet50"),
)
GRID = VolumeGeometry("NIfTI", (8, 8, 9), (2, 1, 0))


def slice_of(number: int | None, patient: str | None = "P", **fields) -> Slice:
    pixels = np.zeros((8, 8, 3), np.uint8)
    pixels[1:7, 1:7] = 100
    return Slice(f"{number}.tif", pixels, patient=patient, number=number, **fields)


def in_volume(volume: str, index: int) -> Slice:
    return slice_of(index, None, position=VolumePosition(volume, volume, GRID, index))


def seen(each: Slice, level: int, probability: float = 0.9, records=RECORDS) -> Analysis:
    """A slice whose map has one level everywhere, so that its score is that level's log-odds."""
    prediction = Prediction(probability, np.full((8, 8), level, np.uint8))
    return measure(each, prediction, *records, "resunet", "resnet50")


def test_neighbors_are_those_of_the_volume_or_of_the_patients_numbers():
    files = [slice_of(number) for number in (3, 1, 2, 9)]
    assert neighbors_of(files) == [(2, None), (None, 2), (1, 0), (None, None)]
    # Every second slice of a volume is analyzed, one of them is missing, and another volume lies between.
    mixed = [in_volume("v", 0), in_volume("w", 2), in_volume("v", 2), in_volume("v", 6)]
    assert neighbors_of(mixed) == [(None, 2), (None, None), (0, None), (None, None)]
    assert neighbors_of([slice_of(1, None), slice_of(2, None)]) == [(None, None)] * 2
    assert neighbors_of([slice_of(None), slice_of(1)]) == [(None, None)] * 2
    twice = [slice_of(1), slice_of(2), slice_of(2)]  # either could be the neighbor
    assert neighbors_of(twice) == [(None, None)] * 3


def test_a_verdict_counts_the_neighbors_scores():
    slices = [slice_of(1), slice_of(2), slice_of(3)]
    levels = (51, 102, 204)
    low, middle, high = LOGITS[list(levels)]
    found = assign_verdicts(slices, [*map(seen, slices, levels)], *RECORDS)
    scores = (
        low + (low + middle) / 2,
        middle + (low + high) / 2,
        high + (middle + high) / 2,
    )
    for each, score in zip(found, scores, strict=True):
        probability = sigmoid(np.float64(0.25 * score + 0.2))
        assert each.verdict == Verdict("resunet", pytest.approx(probability), 0.6, True)
        assert each.second_opinion == Verdict("resnet50", 0.9, fakes.THRESHOLD)
    # A slice that the input check stopped is none, and a slice that is alone gets its own verdict.
    alone = assign_verdicts(slices, [seen(slices[0], 51), None, seen(slices[2], 204)], *RECORDS)
    assert alone[1] is None
    for each, score in ((alone[0], low), (alone[2], high)):
        probability = sigmoid(np.float64(0.5 * score + 0.1))
        assert each.verdict == Verdict("resunet", pytest.approx(probability), 0.5, False)


def test_a_slice_gets_its_own_verdict_and_contradicts_nothing_until_its_neighbors_are_there():
    slices = [slice_of(1), slice_of(2), slice_of(3)]
    # At 120 the slice is marked, for the threshold is 0.42, but alone it gives no verdict of yes.
    analyses = [seen(slices[0], 110, 0.1), None, None]
    assert "yet 64 pixels are marked" in analyses[0].warnings[0]
    first = assign_verdicts(slices, analyses, *RECORDS, waiting={1, 2})[0]
    assert first.verdict.neighbors is None and not first.verdict.tumor and first.warnings == ()
    assert first.verdict.basis == "from this slice alone so far"
    analyses[1] = seen(slices[1], 255)
    first, second, _ = assign_verdicts(slices, analyses, *RECORDS, waiting={2})
    assert first.verdict.neighbors is True and first.verdict.tumor
    assert "Counting" not in " ".join(first.warnings) and "ResNet50" in first.warnings[0]
    assert second.verdict.neighbors is None


def test_the_classifier_gives_the_verdict_where_it_is_chosen_or_alone_can():
    slices = [slice_of(1), slice_of(2)]
    analyses = [seen(each, 204, 0.3) for each in slices]
    for each in assign_verdicts(slices, analyses, *RECORDS, "classifier"):
        assert each.verdict == Verdict("resnet50", 0.3, fakes.THRESHOLD)
        assert (each.second_opinion.network, each.second_opinion.neighbors) == ("resunet", True)
        (warning,) = each.warnings
        assert warning.startswith(
            "The ResNet50 classifier finds no tumor in this slice (30.0%), yet"
        )
    again = assign_verdicts(
        slices, assign_verdicts(slices, analyses, *RECORDS, "classifier"), *RECORDS
    )
    assert [each.verdict.network for each in again] == ["resunet"] * 2
    assert again[0].warnings[0].startswith("The ResNet50 classifier, which gives a second opinion")
    plain = (replace(RECORDS[0], extra={}), RECORDS[1])
    without = [seen(each, 204, 0.3, plain) for each in slices]
    assert (
        assign_verdicts(slices, without, *plain)
        == assign_verdicts(slices, without, *plain, "classifier")
        == without
    )


def test_a_warning_says_that_neighbors_count():
    slices = [slice_of(1), slice_of(2)]
    strong = replace(
        RECORDS[0], extra={"verdict": ALONE, "verdict_with_neighbors": BESIDE | {"intercept": 9.0}}
    )
    found, _ = assign_verdicts(
        slices, [seen(slices[0], 0, 0.1), seen(slices[1], 255, 0.9)], strong, RECORDS[1]
    )
    assert found.warnings[0].startswith(
        "Counting the neighboring slices, the ResUNet finds a tumor"
    )
    assert "nothing is marked" in found.warnings[0]
    assert "the verdict is right more often than the mask" in found.warnings[0]


def test_slices_analyzed_together_are_neighbors(monkeypatch):
    records = dict(zip(("resunet", "resnet50"), RECORDS, strict=True))
    monkeypatch.setattr(registry, "verify_weights", lambda name, assets: records[name])
    answer = [Prediction(0.9, np.full((8, 8), level, np.uint8)) for level in (51, 204)]
    monkeypatch.setattr(worker, "predict", lambda *asked: worker.BatchResult(0, answer, 1))
    slices = [slice_of(1), slice_of(2)]
    assert [each.verdict.neighbors for each in analyze(slices)] == [True, True]
    asked = analyze(slices, verdict="classifier")
    assert [each.verdict.network for each in asked] == ["resnet50"] * 2
