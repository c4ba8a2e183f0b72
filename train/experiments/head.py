"""``python -m train head``: detect tumor slices by a linear head on the cross-validated ResUNet's encoder.

In each fold of `train crossval`, a logistic regression is fitted to the global average and maximum of the
encoder's deepest feature maps, on the patients of the other four folds. Neither the encoder nor the head
has met the fold's patients. A fold is lacking if its network is not in ``runs``.

Writes ``assets/metrics/crossval_NETWORK_head.json``: the common fields of experiments
(`train.experiments.common`; ``budget`` is that of the network), ``run`` (of the network), ``features``
(their number), ``weight_decay``, ``auc`` over all slices, and ``slice_scores`` as in
`train.experiments.crossval`, for `train detect`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from btmodels.metrics import classification
from btmodels.networks.efficientnet import LITE2, pyramid
from btmodels.training.fitting import read_weights
from btmodels.transforms.postprocess import sigmoid
from train.experiments import common
from train.experiments.common import Budget
from train.experiments.crossval import SEGMENTERS, slice_scores, verdict_rows
from train.experiments.slices import load_dataset
from train.fit.select import logistic_regression, predict_logits
from train.fit.subset import Subset
from train.provenance import read_crossval

QUESTION = "Does the encoder of the ResUNet tell whether a slice shows a tumor?"
NETWORK = "resunet"

WEIGHT_DECAY = 1e-2
"""Of the logistic regression on standardized features; fixed before any fold was scored."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, 0)


def main(args: argparse.Namespace) -> int:
    source = read_crossval(args.assets, NETWORK)
    if not source:
        print(f"There is no crossval_{NETWORK}.json: run train crossval --network {NETWORK} first.")
        return 1
    if not common.ready(args):
        return 2
    budget = Budget(**source["budget"])
    args.size = budget.size
    dataset = load_dataset(args)
    place = args.runs / "experiments" / source["run"]
    rows, lacks = {}, []
    held_out = dataset.held_out(quick=False)
    for number in (each["fold"] for each in source["folds"]):
        fold = held_out[number - 1]
        weights = place / f"fold-{number}" / "best.npz"
        if not weights.exists():
            lacks.append(f"fold {number}")
            continue
        score = fit_head(_encoder(weights, budget.size), dataset.of(dataset.outside(fold)))
        tested = dataset.of(fold)
        rows[number] = verdict_rows(tested, score(tested))
        print(f"fold {number}: AUC {_auc(rows[number]):.4f}", flush=True)
    if not rows:
        print(f"No network of the run {source['run']} is in this folder of runs.")
        return 1
    common.write(
        args,
        f"crossval_{NETWORK}_head",
        QUESTION,
        budget,
        dataset,
        lacks,
        network={"name": f"{NETWORK}_head"},
        run=source["run"],
        weight_decay=WEIGHT_DECAY,
        auc=_auc([row for each in rows.values() for row in each]),
        slice_scores=slice_scores(rows),
    )
    return 0


def fit_head(encoder: keras.Model, slices: Subset) -> Callable[[Subset], np.ndarray]:
    """Fit a logistic regression to an encoder's features.

    Args:
        encoder: From slices to features, (batch, features).
        slices: Slices to fit it to.

    Returns:
        From slices to the probability of a tumor in each, float, (slices,).
    """
    given = features_of(encoder, slices)
    mean, deviation = given.mean(axis=0), given.std(axis=0) + 1e-6
    standardized = (given - mean) / deviation
    weights, intercept = logistic_regression(standardized, slices.has_tumor, WEIGHT_DECAY)

    def score(others: Subset) -> np.ndarray:
        found = (features_of(encoder, others) - mean) / deviation
        return sigmoid(found @ weights + intercept)

    return score


def features_of(encoder: keras.Model, slices: Subset) -> np.ndarray:
    """Return the mean features of slices and their mirror images, float64, (slices, features)."""
    views = (predict_logits(encoder, slices, mirrored) for mirrored in (False, True))
    return np.mean([*views], axis=0, dtype=np.float64)


def _encoder(weights: Path, size: int) -> keras.Model:
    network = SEGMENTERS[NETWORK]((size, size, 3), name=NETWORK)
    network.set_weights(read_weights(weights))
    deepest = network.get_layer(pyramid(LITE2)[-1]).output
    pooled = (keras.ops.mean(deepest, axis=(1, 2)), keras.ops.max(deepest, axis=(1, 2)))
    return keras.Model(network.input, keras.ops.concatenate(pooled, axis=-1))


def _auc(rows: list[list]) -> float | None:
    probability, tumor = (np.array(each) for each in list(zip(*rows, strict=True))[1:3])
    return classification.roc_auc(probability, tumor)
