"""``python -m train detect``: detect tumor slices with networks not trained on the patient.

It trains nothing: it reads the slice scores that `train crossval` wrote for a classifier and a
segmenter. The classifier's score is the log-odds of its probability; the segmenter's is the mean log-odds
of its highest pixels. Combined, they are the classifier's score plus a weight times the segmenter's. With
neighbors, another weight times the mean of the slices before and after is added. A fold's weights are those
with the largest AUC over the other folds' patients, without test patients. If `train head` was run, its
head is scored, too.

Writes ``assets/metrics/detection.json``: the common fields of an experiment's file, ``sources``
(``name``, ``command``, ``run`` and ``complete`` of the cross-validations) and ``rows``, each with ``by``
("classifier", "segmenter", "head", "both"), ``neighbors`` (whether they count), ``weights`` by fold
(``segmenter``, ``neighbors``; null where there is nothing to weight), ``auc``, ``auc_interval``,
``sensitivity`` (at 95% specificity), ``sensitivity_interval``, ``average_precision``, ``patients`` and
``slices``. Rows that need slice scores missing from a source are left out; ``lacks`` lists these scores.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np

from btmodels import registry
from btmodels.dataset.split import load_split
from btmodels.measurement.verdict import in_stack
from btmodels.metrics import classification
from btmodels.metrics.bootstrap import grouped_interval
from train import options
from train.experiments import common
from train.fit.select import NEIGHBOR_WEIGHTS
from train.provenance import read_crossval, write_json

QUESTION = "Is there a tumor in a slice, by networks that never met the patient?"

SEGMENTER_WEIGHTS = (0.25, 0.5, 1.0, 2.0, 4.0)

DRAWS = 500
"""Bootstrap resamplings for an interval."""

_auc = classification.over_groups(classification.roc_auc)
_sensitivity = classification.over_groups(classification.sensitivity_at_specificity)

Scores = Mapping[str, np.ndarray]
"""Tumor scores of the slices by folder, float, (slices,), in stack order."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--segmenter", default=registry.get("default").name, metavar="NAME")
    parser.add_argument("--classifier", default=registry.get("default-classifier").name)
    options.add(parser, "--assets")


def main(args: argparse.Namespace) -> int:
    names = {"classifier": args.classifier, "segmenter": args.segmenter}
    read = {kind: read_crossval(args.assets, name) for kind, name in names.items()}
    missing = [name for kind, name in names.items() if read[kind] is None]
    if missing:
        print(f"There is no cross-validation of {' and '.join(missing)}: run train crossval first.")
        return 1
    if head := read_crossval(args.assets, f"{args.segmenter}_head"):
        names["head"], read["head"] = f"{args.segmenter}_head", head
    scored = {kind: doc["slice_scores"] for kind, doc in read.items() if "slice_scores" in doc}
    if not scored:
        print("No cross-validation here holds scores of slices: run train crossval again.")
        return 1
    lacks = [f"scores of slices by {names[kind]}" for kind in names if kind not in scored]
    document = {
        **common.describe_run(args, QUESTION, lacks, any(doc["quick"] for doc in read.values())),
        "complete": not lacks and all(doc["complete"] for doc in read.values()),
        "split_sha256": read["segmenter"]["split_sha256"],
        "data": read["segmenter"]["data"],
        "sources": [
            {"name": names[kind], **{key: doc[key] for key in ("command", "run", "complete")}}
            for kind, doc in read.items()
        ],
        "rows": rows_of(scored, set(load_split(args.assets)["test"])),
    }
    write_json(args.assets / "metrics" / "detection.json", document)
    for row in document["rows"]:
        with_neighbors = ", with neighbors" * row["neighbors"]
        print(f"{row['by']}{with_neighbors}: AUC {row['auc']:.4f}")
    return 0


def rows_of(
    scored: Mapping[str, Mapping[str, dict[str, Any]]], test: set[str]
) -> list[dict[str, Any]]:
    """Score every way to tell slices with a tumor from others.

    Args:
        scored: ``slice_scores`` by "classifier", "segmenter" and "head", or some of them.
        test: Folders of the test patients, who have no part in choosing weights.

    Raises:
        ValueError: They do not score the same slices in the same folds.
    """
    shared = sorted(set.intersection(*(set(each) for each in scored.values())))
    (facts, *others) = [
        {name: (each[name]["fold"], each[name]["numbers"], each[name]["tumor"]) for name in shared}
        for each in scored.values()
    ]
    if any(other != facts for other in others):
        raise ValueError("The cross-validations do not judge the same slices in the same folds.")
    folds: dict[int, list[str]] = {}
    for name, (fold, *_) in facts.items():
        folds.setdefault(fold, []).append(name)
    logits = {
        kind: {name: np.array(each[name]["log_odds"], float) for name in shared}
        for kind, each in scored.items()
    }
    tumor = {name: np.array(found, bool) for name, (*_, found) in facts.items()}
    ways = [*logits, "both"] if {"classifier", "segmenter"} <= set(logits) else list(logits)
    return [
        _evaluate(by, neighbors, logits, tumor, list(folds.values()), set(shared) - test)
        for by in ways
        for neighbors in (False, True)
    ]


def combine(
    by: str, logits: Mapping[str, Scores], name: str, weight: float | None, beside: float | None
) -> np.ndarray:
    """Return the scores of a patient's slices, float, (slices,).

    Args:
        by: "classifier", "segmenter" or "both".
        logits: Scores by "classifier" and "segmenter".
        name: Folder of the patient.
        weight: Weight of the segmenter beside the classifier; None if one is used alone.
        beside: Weight of the neighbors (`btmodels.measurement.verdict.in_stack`); None leaves them out.
    """
    own = logits["classifier" if by == "both" else by][name]
    if weight is not None:
        own = own + weight * logits["segmenter"][name]
    return own if beside is None else in_stack(own, beside)


def _evaluate(
    by: str,
    neighbors: bool,
    logits: Mapping[str, Scores],
    tumor: Mapping[str, np.ndarray],
    folds: list[list[str]],
    choosing: set[str],
) -> dict[str, Any]:
    settings = list(
        product(
            SEGMENTER_WEIGHTS if by == "both" else (None,),
            NEIGHBOR_WEIGHTS if neighbors else (None,),
        )
    )
    chosen, scores = [], {}
    for fold in folds:
        others = [name for name in tumor if name in choosing and name not in set(fold)]
        best = settings[0]
        if others and len(settings) > 1:
            best = max(
                settings,
                key=lambda each: (
                    _auc([(combine(by, logits, n, *each), tumor[n]) for n in others]) or 0.0
                ),
            )
        chosen.append({"segmenter": best[0], "neighbors": best[1]})
        scores |= {name: combine(by, logits, name, *best) for name in fold}
    groups = [(scores[name], tumor[name]) for fold in folds for name in fold]
    every = [np.concatenate(each) for each in zip(*groups, strict=True)]
    return {
        "by": by,
        "neighbors": neighbors,
        "weights": chosen,
        "auc": _auc(groups),
        "auc_interval": grouped_interval(groups, _auc, DRAWS),
        "sensitivity": _sensitivity(groups),
        "sensitivity_interval": grouped_interval(groups, _sensitivity, DRAWS),
        "average_precision": classification.average_precision(*every),
        "patients": len(groups),
        "slices": len(every[0]),
    }
