"""``python -m train evaluate``: score a network on the patients of one subset, as the site would run it.

Flips, threshold and clean-up are those of the weights' record. Without ``--out`` the result goes into
``assets/metrics/MODEL.json``, beside the results of the other subsets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from btmodels import cohort, metrics, registry
from btmodels.errors import BrainTumorError
from btmodels.measure import cut
from btmodels.predict import Predictor
from btmodels.slices import Patient, Slice
from train.provenance import command_line, versions

SUBSETS = ("train", "validation", "test", "reference", "samples")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, help="folder kaggle_3m, or its parent")
    parser.add_argument("--subset", choices=SUBSETS, required=True)
    parser.add_argument("--model", default="default", help="a registry name or 'default'")
    parser.add_argument("--out", type=Path, help="write this subset's result alone to a file")
    parser.add_argument("--assets", type=Path, default=registry.ASSETS)


def main(args: argparse.Namespace) -> int:
    name = registry.get(args.model).name
    if args.subset != "samples" and args.data is None:
        print(f"--subset {args.subset} needs --data DIR")
        return 2
    try:
        patients = (
            cohort.read_cohort(cohort.samples_root(args.assets))
            if args.subset == "samples"
            else cohort.subset_patients(args.data, args.subset, args.assets)
        )
        scores = evaluate(name, args.subset, patients, args.assets)
    except BrainTumorError as error:
        print(error)
        return 1
    document = {**scores, "command": command_line(args.words), "versions": versions()}
    if args.subset == "test":
        _count_test(name, args.assets)
    if args.out:
        _write(args.out, document)
    else:
        path = registry.metrics_path(name, args.assets)
        kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        _write(path, {**kept, "model": name, args.subset: document})
    shown = {k: v for k, v in document.items() if isinstance(v, (int, float)) or "interval" in k}
    print(json.dumps(shown, indent=1))
    return 0


def evaluate(
    name: str,
    subset: str,
    patients: Sequence[Patient],
    assets: Path = registry.ASSETS,
    predictor: Predictor | None = None,
) -> dict:
    """Score the network ``name`` on some patients.

    Args:
        name: Registry name.
        subset: What to call these patients in the result.
        patients: Their folders; slices without a mask are left out.
        assets: Holds weights and split.
        predictor: To use instead of loading one.

    Returns:
        A document that JSON can hold: scores, an entry a patient and one a slice.

    Raises:
        WeightsError: There are no usable weights.
    """
    predictor = predictor or Predictor(name, assets)
    score = score_masks if registry.get(name).task == "segment" else score_verdicts
    return {
        "model": name,
        "weights_sha256": predictor.record.sha256,
        "subset": subset,
        "split_sha256": cohort.split_sha256(assets),
        "complete": predictor.record.complete,
        **score(predictor, patients),
    }


def _read(patient: Patient) -> list[Slice]:
    items = (cohort.read_slice(patient, file) for file in patient.files if file.mask)
    return [item for item in items if item.truth is not None]


def _interval(values: Sequence[float | None], statistic: Callable) -> list[float] | None:
    found = metrics.bootstrap_interval([v for v in values if v is not None], statistic)
    return list(found) if found else None


def score_masks(predictor: Predictor, patients: Sequence[Patient]) -> dict:
    """Count each slice once and score patients and subset on the counts (see `btmodels.metrics`)."""
    record = predictor.record
    scored: dict[str, dict] = {}
    per_slice: dict[str, dict[str, list[int]]] = {}
    everything: list[metrics.Counts] = []
    for patient in patients:
        items = _read(patient)
        if not items:
            continue
        levels = predictor.segment([item.pixels for item in items])
        counts = [
            metrics.count(cut(level, record.threshold, record.min_component_pixels), item.truth)
            for level, item in zip(levels, items, strict=True)
        ]
        scored[patient.folder] = metrics.score_patient(counts)
        per_slice[patient.folder] = {
            str(item.number): [c.tp, c.fp, c.fn, c.tn]
            for item, c in zip(items, counts, strict=True)
        }
        everything += counts
    volumetric = [entry["dice"] for entry in scored.values()]
    tumor = [c for c in everything if c.tp + c.fn]
    empty = [c for c in everything if not c.tp + c.fn]
    pooled = metrics.total(everything)
    return {
        "patients": scored,
        "mean_dice": metrics.mean_of(volumetric),
        "mean_dice_interval": _interval(volumetric, np.mean),
        "median_dice": metrics.median_of(volumetric),
        "median_dice_interval": _interval(volumetric, np.median),
        "mean_iou": metrics.mean_of(entry["iou"] for entry in scored.values()),
        "pooled_dice": metrics.dice(pooled),
        "tumor_slice_dice": metrics.mean_of(metrics.dice(c) for c in tumor),
        "empty_slices": len(empty),
        "false_alarm_rate": sum(c.fp > 0 for c in empty) / len(empty) if empty else None,
        "pixel_accuracy": metrics.pixel_accuracy(pooled),
        "empty_mask_accuracy": metrics.empty_mask_accuracy(pooled),
        "threshold": record.threshold,
        "flips": record.flips,
        "min_component_pixels": record.min_component_pixels,
        "per_slice_columns": ["tp", "fp", "fn", "tn"],
        "per_slice": per_slice,
    }


def score_verdicts(predictor: Predictor, patients: Sequence[Patient]) -> dict:
    """Score calibrated probabilities slice by slice, with intervals that resample patients."""
    record = predictor.record
    per_slice: dict[str, dict[str, list]] = {}
    scored: dict[str, dict] = {}
    groups: list[tuple[np.ndarray, np.ndarray]] = []
    for patient in patients:
        items = _read(patient)
        if not items:
            continue
        probability = np.asarray(predictor.classify([item.pixels for item in items]), float)
        label = np.array([item.truth.any() for item in items])
        groups.append((probability, label))
        said = probability >= record.threshold
        scored[patient.folder] = {
            "slices": len(items),
            "tumor_slices": int(label.sum()),
            "auc": metrics.roc_auc(probability, label),
            "accuracy": float((said == label).mean()),
            "missed_slices": int((label & ~said).sum()),
            "false_alarm_slices": int((said & ~label).sum()),
        }
        per_slice[patient.folder] = {
            str(item.number): [round(float(p), 6), int(t)]
            for item, p, t in zip(items, probability, label, strict=True)
        }
    result: dict = {"patients": scored, "threshold": record.threshold}
    for key, formula in _verdict_scores(record.threshold).items():
        result[key] = formula(*_join(groups))
        result[f"{key}_interval"] = _patient_interval(groups, formula)
    return {**result, "per_slice_columns": ["probability", "tumor"], "per_slice": per_slice}


def _verdict_scores(threshold: float) -> dict[str, Callable]:
    return {
        "auc": metrics.roc_auc,
        "average_precision": metrics.average_precision,
        "accuracy": lambda p, t: float(((p >= threshold) == t).mean()),
        "sensitivity_at_95_specificity": metrics.sensitivity_at_specificity,
        "calibration_error": metrics.calibration_error,
    }


def _join(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([p for p, _ in groups]), np.concatenate([t for _, t in groups])


def _patient_interval(
    groups: Sequence[tuple[np.ndarray, np.ndarray]], formula: Callable, draws: int = 500
) -> list[float] | None:
    # Slices of one patient resemble each other: resampling slices would promise too much.
    if len(groups) < 2:
        return None
    rng = np.random.default_rng(0)
    values = []
    for _ in range(draws):
        chosen = rng.integers(len(groups), size=len(groups))
        value = formula(*_join([groups[i] for i in chosen]))
        if value is not None:
            values.append(value)
    return [float(v) for v in np.percentile(values, [2.5, 97.5])] if values else None


def _count_test(name: str, assets: Path) -> None:
    """Remember in the record that these test patients were looked at once more."""
    path = registry.record_path(name, assets)
    content = json.loads(path.read_text(encoding="utf-8"))
    content["test_evaluations"] = content.get("test_evaluations", 0) + 1
    _write(path, content)


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
