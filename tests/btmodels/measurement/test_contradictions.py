"""Who is right where answers contradict each other: what a warning says of it was counted on patients that
the networks never met."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.measurement.verdict import ALONE, WITH_NEIGHBORS, in_stack, rule_of
from train.experiments.fold_counts import THRESHOLDS, read_counts
from train.fit.select import CLEAN_UPS
from train.fit.stacks import by_patient

SEGMENTER, CLASSIFIER = (
    registry.load_record(registry.get(name).name) for name in ("default", "default-classifier")
)
THRESHOLD = int(np.argmin(np.abs(np.array(THRESHOLDS) - SEGMENTER.threshold)))
SMALLEST = CLEAN_UPS.index(SEGMENTER.min_component_pixels)


@dataclass(frozen=True)
class Answers:
    """Answers for the slices of all patients, bool, (slices,); ``mask`` (slices, thresholds)."""

    tumor: np.ndarray
    mask: np.ndarray
    alone: np.ndarray
    with_neighbors: np.ndarray
    classifier: np.ndarray

    def right(self, answer: np.ndarray, other: np.ndarray, of: np.ndarray) -> float:
        """Return the share of slices in which an answer is right where it contradicts another one."""
        where = of & (answer != other)
        assert where.sum() >= 10
        return float((answer == self.tumor)[where].mean())


@pytest.fixture(scope="module")
def answers() -> Answers:
    metrics = paths.ASSETS / "metrics"
    run, classified = (
        json.loads((metrics / f"crossval_{record.name}.json").read_text("utf-8"))[field]
        for record, field in ((SEGMENTER, "run"), (CLASSIFIER, "slice_scores"))
    )
    odds = np.log(CLASSIFIER.threshold / (1 - CLASSIFIER.threshold)) * CLASSIFIER.temperature
    alone, beside = (rule_of(SEGMENTER, key) for key in (ALONE, WITH_NEIGHBORS))
    parts = []
    for number in range(1, 6):
        counts = read_counts(metrics / "folds" / f"{run}-fold-{number}.npz", run)
        for folder, own in by_patient(counts).items():
            scores = counts.log_odds[own] / SEGMENTER.temperature
            joined = in_stack(scores, beside.neighbor_weight)
            assert classified[folder]["numbers"] == [counts.numbers[index] for index in own]
            parts.append(
                (
                    counts.tumor[own] > 0,
                    counts.marked[own, :, SMALLEST].sum(axis=-1) > 0,
                    np.vectorize(alone.probability)(scores) >= alone.threshold,
                    np.vectorize(beside.probability)(joined) >= beside.threshold,
                    np.array(classified[folder]["log_odds"]) >= odds,
                )
            )
    assert len(parts) == 100
    return Answers(*map(np.concatenate, zip(*parts, strict=True)))


@pytest.mark.parametrize("rule", ["alone", "with_neighbors"])
def test_a_segmenters_verdict_is_right_more_often_than_its_mask(answers, rule):
    # At any threshold that a hand sets, and where nothing or something is marked.
    verdict, every = getattr(answers, rule), np.ones(len(answers.tumor), bool)
    own = answers.mask[:, THRESHOLD]
    assert answers.right(verdict, own, every) > 0.7
    for mask in answers.mask.T:
        assert answers.right(verdict, mask, every) > 0.5
    assert (verdict == answers.tumor)[own & ~verdict].mean() > 0.7
    assert (verdict == answers.tumor)[~own & verdict].mean() > 0.7


def test_a_mask_is_right_more_often_than_the_classifier(answers):
    for mask in answers.mask.T:
        for marked in (mask, ~mask):
            assert answers.right(mask, answers.classifier, marked) > 0.7


@pytest.mark.parametrize("rule", ["alone", "with_neighbors"])
def test_of_two_opinions_the_segmenters_is_right_more_often(answers, rule):
    # The mask agrees with the verdict here; otherwise another warning is shown.
    verdict, mask = getattr(answers, rule), answers.mask[:, THRESHOLD]
    assert answers.right(verdict, answers.classifier, mask == verdict) > 0.7
    assert answers.right(verdict, answers.classifier, mask == answers.classifier) > 0.5


@pytest.mark.parametrize("rule", ["alone", "with_neighbors"])
def test_a_mask_against_both_opinions_is_wrong_more_often(answers, rule):
    verdict, mask = getattr(answers, rule), answers.mask[:, THRESHOLD]
    assert answers.right(verdict, mask, verdict == answers.classifier) > 0.7
    # Beside the segmenter's verdict it is right against the classifier.
    assert answers.right(mask, answers.classifier, verdict == mask) > 0.8
