"""``python -m train evaluate``: score a network on the patients of one subset, as the site would run it.

Flips, threshold and clean-up come from the weights' record. Without ``--out`` the result is added to
``assets/metrics/MODEL.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from btmodels import paths, registry
from btmodels.dataset import cohort
from btmodels.errors import BrainTumorError, CohortError, WeightsError
from btmodels.inference.predict import Predictor
from btmodels.slices import Patient
from train import options
from train.evaluate.scoring import score_masks, score_verdicts
from train.provenance import command_line, read_json, versions, write_json

SUBSETS = (*cohort.SUBSETS, "samples")

PRECISION = "float32"
"""Precision of every evaluation, so that scores do not depend on the machine."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--data", "--assets")
    parser.add_argument("--subset", choices=SUBSETS, required=True)
    parser.add_argument("--model", default="default", help="a registry name or 'default'")
    parser.add_argument("--out", type=Path, help="write this subset's result alone to a file")


def main(args: argparse.Namespace) -> int:
    name = registry.get(args.model).name
    if args.subset != "samples" and args.data is None:
        print(f"--subset {args.subset} needs --data DIR")
        return 2
    try:
        patients = _patients(args)
        scores = evaluate(name, args.subset, patients, args.assets)
    except BrainTumorError as error:
        print(error)
        return 1
    document = {**scores, "command": command_line(args.words), "versions": versions()}
    if args.subset == "test":
        count_test(name, args.assets)
    if args.out:
        write_json(args.out, document)
    else:
        path = registry.metrics_path(name, args.assets)
        kept = read_json(path) or {}
        write_json(path, {**kept, "model": name, args.subset: document})
    shown = {k: v for k, v in document.items() if _is_figure(k, v)}
    print(json.dumps(shown, indent=1))
    return 0


def _is_figure(key: str, value: object) -> bool:
    nested = ("confusion", "cascade", "verdict", "whole_patient")
    return isinstance(value, int | float) or key.endswith("_interval") or key in nested


def _patients(args: argparse.Namespace) -> Sequence[Patient]:
    if args.subset == "samples":
        return cohort.read_cohort(cohort.samples_root(args.assets))
    found = cohort.subset_patients(args.data, args.subset, args.assets)
    wanted = cohort.load_split(args.assets)[args.subset]
    if len(found) < len(wanted):
        print(f"The data folder holds {len(found)} of {len(wanted)} {args.subset} patients.")
    return found


def evaluate(
    name: str,
    subset: str,
    patients: Sequence[Patient],
    assets: Path = paths.ASSETS,
    predictor: Predictor | None = None,
    classifier: Predictor | None = None,
) -> dict:
    """Score the network ``name`` on some patients.

    Args:
        name: Registry name.
        subset: Name of these patients in the result.
        patients: Their folders; slices without a mask are left out.
        assets: Folder with weights and split.
        predictor: Predictor to use instead of loading one.
        classifier: The same, for the cascade of a segmenter.

    Returns:
        A JSON-compatible document: scores, and one entry per patient and per slice.

    Raises:
        WeightsError: There are no usable weights.
        CohortError: There is no mask to score against, or the network was trained on these patients.
    """
    predictor = predictor or Predictor(name, assets, PRECISION)
    if subset != "train" and subset in predictor.record.training_subsets:
        raise CohortError(f"{predictor.spec.title} was trained on the {subset} patients, too.")
    if registry.get(name).task == "segment":
        scores = score_masks(predictor, patients, classifier or _default_classifier(assets))
    else:
        scores = score_verdicts(predictor, patients)
    return {
        "model": name,
        "weights_sha256": predictor.record.sha256,
        "subset": subset,
        "split_sha256": cohort.split_sha256(assets),
        "complete": predictor.record.complete,
        **scores,
    }


def _default_classifier(assets: Path) -> Predictor | None:
    try:
        return Predictor("default-classifier", assets, PRECISION)
    except WeightsError as error:
        print(f"Masks are scored without a classifier. {error}")
        return None


def count_test(name: str, assets: Path) -> None:
    """Count one more evaluation on the test patients in the record."""
    path = registry.record_path(name, assets)
    content = read_json(path)
    content["test_evaluations"] = content.get("test_evaluations", 0) + 1
    write_json(path, content)
