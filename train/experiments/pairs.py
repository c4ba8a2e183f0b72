"""``python -m train pairs``: compare two trainings on the same patients, whom neither network has met.

It trains nothing: it reads the counts of the folds that `train crossval` finished, and compares each of
`PAIRS`, which differ in one respect.

Writes ``assets/metrics/pairs.json``: ``experiment``, ``question``, ``command``, ``quick``, ``complete``,
``lacks`` (folds without counts), ``machine``, ``versions``, ``interval`` (coverage of the bootstrap
intervals), ``least_gain`` and ``rows``, each with ``key``, ``title``, ``runs`` (its own and the other),
``folds`` (those that both have finished), ``patients`` (their number), ``mean_dice`` and
``other_mean_dice`` (of these patients, maps cut at 0.5) and the result of `compare` on those who are no
test patients.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.metrics.bootstrap import bootstrap_interval
from train import options, provenance
from train.experiments import common
from train.experiments.fold_counts import HALF, read_counts

QUESTION = "What do residual units, a longer training and distillation bring?"

PERCENTILES = (5.0, 95.0)
"""Percentiles of the bootstrapped mean differences that bound an interval."""

INTERVAL = (PERCENTILES[1] - PERCENTILES[0]) / 100
"""Coverage of the interval."""

LEAST_GAIN = 0.008
"""Gain in mean Dice for a network to replace another; smaller gains are within the noise of one seed."""

FOLDS = range(1, 6)


@dataclass(frozen=True)
class Pair:
    """Two trainings of `train crossval` that differ in one respect.

    Attributes:
        key: Its name in the file.
        title: The difference, for readers.
        own, other: Beginnings of the names of both runs, up to their number of slices.
    """

    key: str
    title: str
    own: str
    other: str


PAIRS = (
    Pair(
        "residual_units",
        "Residual units in the decoder, against plain convolutions",
        "crossval-resunet-lgg-192px-15600-",
        "crossval-efficientnet_plain-lgg-192px-15600-",
    ),
    Pair(
        "longer",
        "31,200 training slices, against 15,600",
        "crossval-resunet-lgg-192px-31200-",
        "crossval-resunet-lgg-192px-15600-",
    ),
    Pair(
        "distilled",
        "7,800 more slices with masks softened by two teachers, against none",
        "crossval-resunet_distilled-lgg-192px-7800-",
        "crossval-resunet-lgg-192px-31200-",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    options.add(parser, "--assets")


def main(args: argparse.Namespace) -> int:
    split = cohort.load_split(args.assets)
    found = [(pair, _read(args.assets, pair.own), _read(args.assets, pair.other)) for pair in PAIRS]
    rows = [_row(*each, [*split["train"], *split["validation"]]) for each in found]
    lacks = [
        f"{row['title']}: fold {fold}" for row in rows for fold in FOLDS if fold not in row["folds"]
    ]
    document = {
        **common.describe_run(args, QUESTION, lacks),
        "interval": INTERVAL,
        "least_gain": LEAST_GAIN,
        "rows": rows,
    }
    provenance.write_json(args.assets / "metrics" / "pairs.json", document)
    for row in rows:
        print(f"{row['title']}: {row['difference']} {row['difference_interval']}")
    return 0


_Dices = Mapping[str, float | None]


def _read(assets: Path, start: str) -> dict[int, tuple[str, _Dices]]:
    """Return each finished fold's run and volumetric Dice by patient."""
    found = {}
    for number in FOLDS:
        for path in sorted((assets / "metrics" / "folds").glob(f"{start}*-fold-{number}.npz")):
            run = path.name.removesuffix(f"-fold-{number}.npz")
            counts = read_counts(path, run)
            dices = {
                folder: overlap.score_patient(each[HALF])["dice"]
                for folder, each in counts.by_threshold().items()
            }
            found[number] = run, dices
    return found


def _row(
    pair: Pair,
    own: Mapping[int, tuple[str, _Dices]],
    other: Mapping[int, tuple[str, _Dices]],
    choosing: Iterable[str],
) -> dict[str, Any]:
    folds = sorted(set(own) & set(other))
    dices = [
        {name: dice for fold in folds for name, dice in each[fold][1].items()}
        for each in (own, other)
    ]
    return {
        "key": pair.key,
        "title": pair.title,
        "runs": sorted({each[fold][0] for each in (own, other) for fold in folds}),
        "folds": folds,
        "patients": len(dices[0]),
        "mean_dice": overlap.mean_of(dices[0].values()),
        "other_mean_dice": overlap.mean_of(dices[1].values()),
        **compare(*dices, choosing),
    }


def compare(
    own: Mapping[str, float | None], other: Mapping[str, float | None], choosing: Iterable[str]
) -> dict[str, Any]:
    """Compare two networks on the patients in ``choosing`` that both have scored.

    Args:
        own: Volumetric Dice by patient; None where it is undefined.
        other: The same for the other network.
        choosing: Folders of the patients to compare on; no test patients.

    Returns:
        ``compared_patients``, ``difference`` (mean), its ``difference_interval`` over patients, ``better``
        (patients with a higher Dice) and ``adopted``: whether the gain is at least `LEAST_GAIN` and the
        interval is above 0. Without patients, everything but their number is None.
    """
    shared = sorted(set(choosing) & set(own) & set(other))
    pairs = [(own[name], other[name]) for name in shared]
    differences = [a - b for a, b in pairs if a is not None and b is not None]
    if not differences:
        return {"compared_patients": 0, **dict.fromkeys(_FIGURES)}
    difference = float(np.mean(differences))
    interval = bootstrap_interval(differences, percentiles=PERCENTILES)
    figures = (
        difference,
        interval,
        sum(each > 0 for each in differences),
        difference >= LEAST_GAIN and interval is not None and interval[0] > 0,
    )
    return {"compared_patients": len(differences), **dict(zip(_FIGURES, figures, strict=True))}


_FIGURES = ("difference", "difference_interval", "better", "adopted")
