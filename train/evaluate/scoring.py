"""A network's scores on patients, from one prediction per slice (see `btmodels.metrics.overlap`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from btmodels.dataset import cohort
from btmodels.errors import CohortError
from btmodels.inference.predict import Predictor
from btmodels.measurement.verdict import rule_of, top_log_odds
from btmodels.metrics import classification, overlap
from btmodels.metrics.bootstrap import bootstrap_interval, grouped_interval
from btmodels.metrics.overlap import Counts, hausdorff95
from btmodels.registry import Record
from btmodels.slices import Patient, Slice
from btmodels.transforms.postprocess import RULE, binarize, drop_small_parts
from train.evaluate.calibration import calibrate, count_probabilities

VERDICT_DRAWS = 500
"""Bootstrap resamplings for the intervals of scores that are slow to compute."""

_OF_PATIENTS = ("iou", "hausdorff95", "detected", "empty_slices")


@dataclass(frozen=True, eq=False)
class ScoredPatient:
    """Results of one patient's slices, in slice order.

    Attributes:
        numbers: Slice numbers.
        alone: Counts of the segmenter's own masks.
        cleaned: The same after the whole-patient clean-up.
        gated: The same if only slices in which the classifier finds a tumor keep their masks; empty
            without a classifier.
        distance: Mean 95% Hausdorff distance in pixels over slices where neither mask is empty.
        probability_counts: The result of `count_probabilities`.
        verdicts: Probability of a tumor and whether there is one, for each slice; None if the segmenter
            gives no verdict.
    """

    numbers: list[int | None]
    alone: list[Counts]
    cleaned: list[Counts]
    gated: list[Counts]
    distance: float | None
    probability_counts: np.ndarray
    verdicts: tuple[np.ndarray, np.ndarray] | None


def read_scored(patients: Sequence[Patient]) -> Iterator[tuple[str, list[Slice]]]:
    """Yield each patient's folder and the slices with a mask; patients without any are left out.

    Raises:
        CohortError: No slice of any patient has a mask.
    """
    found = False
    for patient in patients:
        items = (cohort.read_slice(patient, file) for file in patient.files if file.mask)
        scored = [item for item in items if item.truth is not None]
        if scored:
            found = True
            yield patient.folder, scored
    if not found:
        raise CohortError("None of these patients has a slice with a mask to score against.")


def score_masks(
    predictor: Predictor, patients: Sequence[Patient], classifier: Predictor | None = None
) -> dict:
    """Score a segmenter as the site runs it, and two ways to clean up its masks.

    Args:
        predictor: The segmenter; its record gives flips, threshold and clean-up.
        patients: Patients to score; slices without a mask are left out.
        classifier: Classifier of the cascade, in which only slices with a tumor at its record's threshold
            keep their masks; without one, ``cascade`` is None.

    Returns:
        A JSON-compatible document. A tumor counts as detected (in a slice: found) if any of its pixels
        is marked; undefined scores are None.

    Raises:
        CohortError: There is no mask to score against.
    """
    found = {
        folder: _score_patient(predictor, items, classifier)
        for folder, items in read_scored(patients)
    }
    alone = [each.alone for each in found.values()]
    scored = {
        folder: overlap.score_patient(each.alone) | {"hausdorff95": each.distance}
        for folder, each in found.items()
    }
    pooled = overlap.total(c for counts in alone for c in counts)
    column = {key: [entry[key] for entry in scored.values()] for key in _OF_PATIENTS}
    ranked = {
        folder: entry["dice"] for folder, entry in scored.items() if entry["dice"] is not None
    }
    record = predictor.record
    return {
        "patients": scored,
        **headline(alone),
        "mean_iou": overlap.mean_of(column["iou"]),
        "mean_iou_interval": bootstrap_interval(column["iou"]),
        "pooled_dice": overlap.dice(pooled),
        "pooled_dice_interval": grouped_interval(
            [overlap.total(counts) for counts in alone],
            lambda chosen: overlap.dice(overlap.total(chosen)),
        ),
        "hausdorff95": overlap.mean_of(column["hausdorff95"]),
        "hausdorff95_interval": bootstrap_interval(column["hausdorff95"]),
        "detection_rate": overlap.mean_of(column["detected"]),
        "detection_rate_interval": bootstrap_interval(column["detected"]),
        "empty_slices": sum(column["empty_slices"]),
        "pixel_accuracy": overlap.pixel_accuracy(pooled),
        "empty_mask_accuracy": overlap.empty_mask_accuracy(pooled),
        "worst": sorted(ranked, key=ranked.get),
        "by_size": overlap.score_by_size(c for counts in alone for c in counts),
        "calibration": calibrate([each.probability_counts for each in found.values()]),
        "cascade": {
            "classifier": classifier.record.name,
            "classifier_sha256": classifier.record.sha256,
            **headline([each.gated for each in found.values()]),
        }
        if classifier
        else None,
        "verdict": _own_verdict(record, [each.verdicts for each in found.values()]),
        "whole_patient": {"rule": RULE, **headline([each.cleaned for each in found.values()])},
        "threshold": record.threshold,
        "flips": record.flips,
        "min_component_pixels": record.min_component_pixels,
        "per_slice_columns": ["tp", "fp", "fn", "tn"],
        "per_slice": {
            folder: {
                str(number): [*counts]
                for number, counts in zip(each.numbers, each.alone, strict=True)
            }
            for folder, each in found.items()
        },
    }


def _score_patient(
    predictor: Predictor, items: Sequence[Slice], classifier: Predictor | None
) -> ScoredPatient:
    images, truths = [item.pixels for item in items], [item.truth for item in items]
    record, probability_maps = predictor.record, predictor.segment(images)
    masks = [
        binarize(each, record.threshold, record.min_component_pixels) for each in probability_maps
    ]
    rule, gated = rule_of(record), []
    if classifier:
        tumor = classifier.classify(images) >= classifier.record.threshold
        gated = _count([mask & said for mask, said in zip(masks, tumor, strict=True)], truths)
    return ScoredPatient(
        numbers=[item.number for item in items],
        alone=_count(masks, truths),
        cleaned=_count(drop_small_parts(masks), truths),
        gated=gated,
        distance=overlap.mean_of(map(hausdorff95, masks, truths)),
        probability_counts=count_probabilities(probability_maps, truths),
        verdicts=(
            np.array([rule.probability(top_log_odds(each)) for each in probability_maps]),
            np.array([t.any() for t in truths]),
        )
        if rule
        else None,
    )


def _own_verdict(
    record: Record, groups: Sequence[tuple[np.ndarray, np.ndarray] | None]
) -> dict | None:
    rule = rule_of(record)
    if rule is None:
        return None
    return {"threshold": rule.threshold, **_sum_up_verdicts(groups, rule.threshold)}


def _count(masks: Sequence[np.ndarray], truths: Sequence[np.ndarray]) -> list[Counts]:
    return [overlap.count(m, t) for m, t in zip(masks, truths, strict=True)]


def headline(counted: Sequence[list[Counts]]) -> dict[str, float | tuple[float, float] | None]:
    """Return the main scores of one set of masks, each with its interval."""
    patients = [overlap.score_patient(counts) for counts in counted]
    volumetric = [entry["dice"] for entry in patients]
    # Sums and slice counts per patient, so that resampling need not go through the slices again.
    dices = [
        ((e["tumor_slice_dice"] or 0) * e["tumor_slices"], e["tumor_slices"]) for e in patients
    ]
    alarms = [(e["false_alarm_slices"], e["empty_slices"]) for e in patients]
    return {
        "mean_dice": overlap.mean_of(volumetric),
        "mean_dice_interval": bootstrap_interval(volumetric, np.mean),
        "median_dice": overlap.median_of(volumetric),
        "median_dice_interval": bootstrap_interval(volumetric, np.median),
        "tumor_slice_dice": _share(dices),
        "tumor_slice_dice_interval": grouped_interval(dices, _share),
        "false_alarm_rate": _share(alarms),
        "false_alarm_rate_interval": grouped_interval(alarms, _share),
    }


def _share(parts: Sequence[tuple[float, int]]) -> float | None:
    number = sum(whole for _, whole in parts)
    return sum(part for part, _ in parts) / number if number else None


def score_verdicts(predictor: Predictor, patients: Sequence[Patient]) -> dict:
    """Score a classifier's calibrated probabilities slice by slice, with intervals over patients.

    Raises:
        CohortError: No mask tells which slices have a tumor.
    """
    record = predictor.record
    per_slice: dict[str, dict[str, list]] = {}
    scored: dict[str, dict] = {}
    groups: list[tuple[np.ndarray, np.ndarray]] = []
    for folder, items in read_scored(patients):
        probability = np.asarray(predictor.classify([item.pixels for item in items]), float)
        label = np.array([item.truth.any() for item in items])
        groups.append((probability, label))
        said = probability >= record.threshold
        scored[folder] = {
            "slices": len(items),
            "tumor_slices": int(label.sum()),
            "auc": classification.roc_auc(probability, label),
            "accuracy": float((said == label).mean()),
            "missed_slices": int((label & ~said).sum()),
            "false_alarm_slices": int((said & ~label).sum()),
        }
        per_slice[folder] = {
            str(item.number): [round(float(p), 6), int(t)]
            for item, p, t in zip(items, probability, label, strict=True)
        }
    return {
        "patients": scored,
        "threshold": record.threshold,
        **_sum_up_verdicts(groups, record.threshold),
        "per_slice_columns": ["probability", "tumor"],
        "per_slice": per_slice,
    }


def _sum_up_verdicts(groups: Sequence[tuple[np.ndarray, np.ndarray]], threshold: float) -> dict:
    found: dict = {}
    for key, formula in _verdict_scores(threshold).items():
        joined = classification.over_groups(formula)
        found[key] = joined(groups)
        found[f"{key}_interval"] = grouped_interval(groups, joined, VERDICT_DRAWS)
    probability, label = map(np.concatenate, zip(*groups, strict=True))
    counts = overlap.count(probability >= threshold, label)
    return {**found, "confusion": counts._asdict()}


def _verdict_scores(threshold: float) -> dict[str, Callable]:
    return {
        "auc": classification.roc_auc,
        "average_precision": classification.average_precision,
        "accuracy": lambda p, t: float(((p >= threshold) == t).mean()),
        "sensitivity_at_95_specificity": classification.sensitivity_at_specificity,
        "calibration_error": classification.calibration_error,
    }
