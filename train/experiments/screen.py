"""``python -m train screen``: which changes to the training are worth a full cross-validation.

Every variant is a short cross-validation in the folds of `train crossval`: an EfficientNet-Lite0 U-Net on
small slices, the same seed, mirrored views averaged, threshold 0.5, no clean-up. Variant and baseline are
compared patient by patient, without test patients. The baseline is scored with the weights of its last
step and with their moving average; the other variants with those of the last step. A variant is trained
once: counts of finished folds are read from ``assets/metrics/folds``
(`train.experiments.fold_counts`).

Writes ``assets/metrics/screen.json``. In addition to the common fields of experiments
(`train.experiments.common`; ``budget`` is the baseline's):

- ``network``: ``name`` and ``parameters``;
- ``interval``: coverage of bootstrap intervals; ``least_gain``: the smallest relevant gain in mean Dice;
- ``variants``, the baseline first: ``key``, ``title``, ``weights`` (the ``last`` step's, or their moving
  average, ``averaged``), ``command``, ``run`` (folder below ``runs/experiments``), ``options`` (differences
  from the baseline), ``folds`` (finished ones), ``cpu_seconds``, ``mean_dice`` and ``median_dice``
  of the compared patients, ``patients`` (volumetric Dice of all patients by folder), ``chosen_cut`` (mean
  Dice with each fold at the best threshold for the other folds' compared patients), ``against`` (key
  and weights of the reference; null for the baseline), ``compared_patients``, ``difference`` (their mean),
  its ``difference_interval``, ``better`` (patients with a higher Dice) and ``adopted`` (whether a full
  cross-validation with these results would adopt it; see `train.experiments.pairs`).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.metrics.overlap import Counts
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.training import losses
from btmodels.training.fitting import read_weights
from train import cluster
from train.experiments import common, fold_counts, folds
from train.experiments.common import Budget
from train.experiments.crossval import train_on_others
from train.experiments.fold_counts import FoldCounts, count_fold, keep_counts, read_counts
from train.experiments.pairs import INTERVAL, LEAST_GAIN, compare
from train.experiments.slices import Dataset, load_dataset
from train.fit import pretrained
from train.fit.recipes import RECIPES
from train.fit.stacks import join_neighbors
from train.provenance import command_line

QUESTION = "Which changes to the training are worth a full cross-validation?"
NETWORK = "efficientnet_unet"

PARTS = 4
EACH_SLICES = 4_800
EMA = 0.99

LAST, AVERAGED = "last", "averaged"


@dataclass(frozen=True)
class Variant:
    """One way to train.

    Attributes:
        key: Its name on the command line and in the file.
        title: Its name for readers.
        augmentation: Fields of `train.fit.augment.Augmentation`.
        neighbors: Whether the network sees the FLAIR images of a slice and its two neighbors instead of
            one slice's three sequences.
    """

    key: str
    title: str
    augmentation: Mapping[str, Any] = field(default_factory=dict)
    neighbors: bool = False

    def options(self) -> dict[str, Any]:
        """Return the differences from the baseline."""
        return dict(self.augmentation) | ({"neighbors": True} if self.neighbors else {})

    @property
    def weights(self) -> tuple[str, ...]:
        """Return the kinds of weights to score."""
        return (LAST,) if self.options() else (LAST, AVERAGED)


BASELINE, *_ = VARIANTS = (
    Variant("baseline", "As the site's networks are trained"),
    Variant("copy_paste", "Lesions of other patients pasted", {"paste": 0.4}),
    Variant("nnunet", "nnU-Net's further augmentation", {"nnunet": True}),
    Variant("stronger", "Stronger geometry and intensities", {"strength": 1.7}),
    Variant("soft_edges", "Soft edges of the mask", {"soft_edges": 1.5}),
    Variant("consistent", "Inconsistent patients seen half as often", {"leave_out": 0.5}),
    Variant("volume", "Statistics of the volume, now and then", {"volume": 0.5}),
    Variant("neighbors", "FLAIR of the neighboring slices (2.5-D)", neighbors=True),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES)
    parser.add_argument(
        "--variants",
        nargs="*",
        choices=[each.key for each in VARIANTS],
        help="train these; default: all; without a name none, and the file is made of finished runs",
    )
    parser.add_argument("--folds", nargs="+", type=int, choices=range(1, 6), help="these alone")
    cluster.add_argument(parser)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    if args.ray and not cluster.run_folds(main, args, args.folds or common.fold_numbers(args)):
        return 1
    recipe = RECIPES[NETWORK][-1]
    budget = common.budget_of(
        args, PARTS, learning_rate=recipe.learning_rate, fade=recipe.fade, ema=EMA
    )
    dataset = load_dataset(args)
    patients = {p.folder: p for p in cohort.read_cohort(args.data)}
    wanted = [v for v in VARIANTS if args.variants is None or v.key in args.variants]
    for variant in wanted:
        own, seen = replace(budget, augmentation=variant.augmentation), dataset
        if variant.neighbors:
            seen = replace(dataset, slices=join_neighbors(dataset.slices))
        run = run_folder(variant, budget, dataset)
        for number, fold in enumerate(dataset.held_out(args.quick), start=1):
            if number not in (args.folds or (number,)) or _read_fold(args, run, variant, number):
                continue
            folder = args.runs / "experiments" / run / f"fold-{number}"
            model, facts = _train(own, seen, fold, folder)
            for kind in variant.weights:
                weights = read_weights(folder / "checkpoint.npz", averaged=kind == AVERAGED)
                model.set_weights(weights)
                maps = folds.draw_maps(model, seen.of(fold), patients)
                counts = count_fold(maps, run, {"fold": number, **facts}, (0,))
                keep_counts(counts, _kept(args, run, number, kind))
        write(args, budget, dataset)
    if not wanted:
        write(args, budget, dataset)
    return 0


def run_folder(variant: Variant, budget: Budget, dataset: Dataset) -> str:
    """Return the name of a variant's folder of runs."""
    own = replace(budget, augmentation=variant.augmentation)
    return f"screen-{variant.key}-{common.run_name(own, dataset)}"


def _train(
    budget: Budget, dataset: Dataset, fold: Sequence[str], folder: Path
) -> tuple[keras.Model, dict]:
    keras.utils.set_random_seed(budget.seed)
    model = build_efficientnet_unet((budget.size, budget.size, 3), name=NETWORK)
    pretrained.start_encoder(model, pretrained.DEFAULTS[NETWORK])
    return model, train_on_others(budget, dataset, model, losses.bce_dice, fold, folder)


def _kept(args: argparse.Namespace, run: str, number: int, kind: str) -> Path:
    return args.assets / "metrics" / "folds" / f"{run}-{kind}-fold-{number}.npz"


def _read_fold(
    args: argparse.Namespace, run: str, variant: Variant, number: int
) -> dict[str, FoldCounts]:
    """Return a finished fold's counts by kind of weights; none if one is missing."""
    found = {kind: read_counts(_kept(args, run, number, kind), run) for kind in variant.weights}
    return found if all(found.values()) else {}


def write(args: argparse.Namespace, budget: Budget, dataset: Dataset) -> None:
    """Write the file from the finished folds; a variant with missing folds is compared on the patients of
    its finished ones."""
    found, lacks = _read_runs(args, budget, dataset)
    if BASELINE.key not in found:
        return
    choosing = set(dataset.choosing)
    rows = []
    for variant in (each for each in VARIANTS if each.key in found):
        parts = found[variant.key]
        for kind in variant.weights:
            scored = score([part[kind].by_threshold() for part in parts], choosing)
            rows.append(
                {
                    "key": variant.key,
                    "title": variant.title,
                    "weights": kind,
                    "command": _command(args, variant),
                    "run": run_folder(variant, budget, dataset),
                    "options": variant.options(),
                    "folds": [part[kind].facts["fold"] for part in parts],
                    "cpu_seconds": round(sum(part[kind].facts["cpu_seconds"] for part in parts), 1),
                    **scored,
                    "against": [BASELINE.key, LAST] if rows else None,
                    **compare(scored["patients"], rows[0]["patients"] if rows else {}, choosing),
                }
            )
    parameters = found[BASELINE.key][0][LAST].facts["parameters"]
    network = {"name": NETWORK, "parameters": parameters}
    body = {"network": network, "interval": INTERVAL, "least_gain": LEAST_GAIN, "variants": rows}
    common.write(args, "screen", QUESTION, budget, dataset, lacks, **body)
    for row in rows:
        print(
            f"{row['key']}, {row['weights']}: {row['mean_dice']:.4f} ({row['difference']})",
            flush=True,
        )


def _read_runs(
    args: argparse.Namespace, budget: Budget, dataset: Dataset
) -> tuple[dict[str, list[dict[str, FoldCounts]]], list[str]]:
    """Return each variant's finished folds that the baseline has too, and the titles of variants that lack
    folds."""
    found = {}
    lacks = []
    numbers = [*range(1, 1 + len(dataset.held_out(args.quick)))]
    known = set(numbers)
    for variant in VARIANTS:
        run = run_folder(variant, budget, dataset)
        parts = {number: _read_fold(args, run, variant, number) for number in sorted(known)}
        usable = {number: part for number, part in parts.items() if part}
        if variant is BASELINE:
            known = set(usable)
        if usable:
            found[variant.key] = [*usable.values()]
        lacks += [variant.title] if len(usable) < len(numbers) else []
    return found, lacks


def _command(args: argparse.Namespace, variant: Variant) -> str:
    """Return the command that trains one variant alone, whatever this run's own options."""
    words, skipping = [], False
    for word in args.words:
        skipping = word in ("--variants", "--folds") or (skipping and not word.startswith("--"))
        words += [] if skipping else [word]
    return command_line([*words, "--variants", variant.key])


def score(
    by_fold: Sequence[Mapping[str, list[list[Counts]]]], choosing: Iterable[str]
) -> dict[str, Any]:
    """Score a variant's networks.

    Args:
        by_fold: For each fold, slice counts by patient and threshold.
        choosing: Folders of the patients to compare on.

    Returns:
        ``mean_dice``, ``median_dice``, ``chosen_cut`` and ``patients`` (see the module docstring).
    """
    choosing = set(choosing)
    dices = {
        name: [overlap.score_patient(counts)["dice"] for counts in thresholds]
        for fold in by_fold
        for name, thresholds in fold.items()
    }
    chosen = []
    for fold in by_fold:
        others = [dices[name] for name in dices if name in choosing and name not in fold]
        means = np.nanmean(np.array(others, float), axis=0) if others else np.zeros(0)
        threshold = int(np.argmax(means)) if means.size else fold_counts.HALF
        chosen += [dices[name][threshold] for name in fold if name in choosing]
    patients = {name: each[fold_counts.HALF] for name, each in dices.items()}
    deciding = [value for name, value in patients.items() if name in choosing]
    return {
        "mean_dice": overlap.mean_of(deciding),
        "median_dice": overlap.median_of(deciding),
        "chosen_cut": overlap.mean_of(chosen),
        "patients": patients,
    }
