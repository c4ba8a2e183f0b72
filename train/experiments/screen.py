"""``python -m train screen``: which changes to the training are worth a full cross-validation.

Every variant is a short cross-validation in the folds of `train crossval`: an EfficientNet-Lite0 U-Net on
small slices, the same seed, mirrored views averaged, threshold 0.5, no clean-up. Variant and baseline are
compared patient by patient, without test patients. A variant is trained once; finished runs are read
from ``runs``.

Writes ``assets/metrics/screen.json``. In addition to the common fields of experiments
(`train.experiments.common`; ``budget`` is the baseline's):

- ``network``: ``name`` and ``parameters``;
- ``interval``: coverage of bootstrap intervals; ``least_gain``: the smallest relevant gain in mean Dice;
- ``variants``, the baseline first: ``key``, ``title``, ``weights`` (the ``last`` step's, or their moving
  average, ``averaged``), ``command``, ``run`` (folder below ``runs/experiments``), ``options`` (differences
  from the baseline), ``folds`` (the finished ones), ``cpu_seconds``, ``mean_dice`` and ``median_dice``
  of the compared patients, ``patients`` (volumetric Dice of all patients by folder), ``chosen_cut`` (mean
  Dice with each fold at the best threshold for the other folds' compared patients), ``against`` (key
  and weights of the reference; null for the baseline), ``compared_patients``, ``difference`` (their mean),
  its ``difference_interval``, ``better`` (patients with a higher Dice) and ``adopted`` (whether a full
  cross-validation with these results would adopt it; see `train.experiments.pairs`).

Counts of every slice at all of `train.experiments.fold_counts.THRESHOLDS` stay in ``runs``.
"""

from __future__ import annotations

import argparse
import json
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
from btmodels.slices import Patient
from btmodels.training import losses
from btmodels.training.fitting import read_weights
from train import cluster
from train.experiments import common, fold_counts, folds
from train.experiments.common import Budget
from train.experiments.crossval import train_on_others
from train.experiments.fold_counts import count_fold
from train.experiments.pairs import INTERVAL, LEAST_GAIN, compare
from train.experiments.slices import Material, load_material
from train.fit import pretrained
from train.fit.recipes import RECIPES
from train.fit.stacks import join_neighbors
from train.provenance import command_line, write_json

QUESTION = "Which changes to the training are worth a full cross-validation?"
NETWORK = "efficientnet_unet"

PARTS = 4
EACH_SLICES = 4_800
EMA = 0.99

WEIGHTS = ("last", "averaged")


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
    material = load_material(args)
    patients = {p.folder: p for p in cohort.read_cohort(args.data)}
    wanted = [v for v in VARIANTS if args.variants is None or v.key in args.variants]
    for variant in wanted:
        parent = args.runs / "experiments" / run_folder(variant, budget, material)
        numbered = dict(enumerate(material.held_out(args.quick), start=1))
        evaluate(
            variant,
            budget,
            material,
            patients,
            {n: fold for n, fold in numbered.items() if not args.folds or n in args.folds},
            parent,
        )
        write(args, budget, material)
    if not wanted:
        write(args, budget, material)
    return 0


def run_folder(variant: Variant, budget: Budget, material: Material) -> str:
    """Return the name of a variant's folder of runs."""
    own = replace(budget, augmentation=variant.augmentation)
    return f"screen-{variant.key}-{common.run_name(own, material)}"


def evaluate(
    variant: Variant,
    budget: Budget,
    material: Material,
    patients: Mapping[str, Patient],
    numbered: Mapping[int, Sequence[str]],
    parent: Path,
) -> None:
    """Train a variant's networks and count their results, fold by fold; finished folds are skipped."""
    budget = replace(budget, augmentation=variant.augmentation)
    if variant.neighbors:
        material = replace(material, slices=join_neighbors(material.slices))
    for number, fold in numbered.items():
        common.once(
            parent / f"fold-{number}.json",
            lambda number=number, fold=fold: (
                _evaluate_fold(budget, material, patients, fold, parent / f"fold-{number}")
                | {"fold": number}
            ),
        )


def _evaluate_fold(
    budget: Budget,
    material: Material,
    patients: Mapping[str, Patient],
    fold: Sequence[str],
    folder: Path,
) -> dict:
    keras.utils.set_random_seed(budget.seed)
    model = build_efficientnet_unet((budget.size, budget.size, 3), name=NETWORK)
    pretrained.start_encoder(model, pretrained.DEFAULTS[NETWORK])
    facts = train_on_others(budget, material, model, losses.bce_dice, fold, folder)
    counts = {}
    for kind in WEIGHTS:
        model.set_weights(read_weights(folder / "checkpoint.npz", averaged=kind == "averaged"))
        drawn = folds.draw_maps(model, material.of(fold), patients)
        counts[kind] = {
            name: [[[c.tp, c.fp, c.fn, c.tn] for c in slices] for slices in thresholds]
            for name, thresholds in count_fold(drawn, folder.name, facts, (0,))
            .by_threshold()
            .items()
        }
    return {**facts, "counts": counts}


def write(args: argparse.Namespace, budget: Budget, material: Material) -> None:
    """Write the file from the finished folds; a variant with missing folds is compared on the patients of
    its finished ones."""
    found, lacks = _read_runs(args, budget, material)
    if BASELINE.key not in found:
        return
    scored = {
        (key, kind): score([_counts_of(each, kind) for each in parts], material.choosing)
        for key, parts in found.items()
        for kind in WEIGHTS
    }
    rows = []
    for variant in (each for each in VARIANTS if each.key in found):
        parts = found[variant.key]
        for kind in WEIGHTS:
            own = (variant.key, kind)
            other = (BASELINE.key, "last" if variant is BASELINE else kind)
            rows.append(
                {
                    "key": variant.key,
                    "title": variant.title,
                    "weights": kind,
                    "command": _command(args, variant),
                    "run": run_folder(variant, budget, material),
                    "options": variant.options(),
                    "folds": [part["fold"] for part in parts],
                    "cpu_seconds": round(sum(part["cpu_seconds"] for part in parts), 1),
                    **scored[own],
                    "against": None if own == other else list(other),
                    **compare(
                        scored[own]["patients"],
                        {} if own == other else scored[other]["patients"],
                        material.choosing,
                    ),
                }
            )
    network = {"name": NETWORK, "parameters": found[BASELINE.key][0]["parameters"]}
    body = {"network": network, "interval": INTERVAL, "least_gain": LEAST_GAIN, "variants": rows}
    document = common.document(args, QUESTION, budget, material, lacks, **body)
    write_json(args.assets / "metrics" / "screen.json", document)
    for row in rows:
        print(
            f"{row['key']}, {row['weights']}: {row['mean_dice']:.4f} ({row['difference']})",
            flush=True,
        )


def _read_runs(
    args: argparse.Namespace, budget: Budget, material: Material
) -> tuple[dict[str, list[dict]], list[str]]:
    """Return the results of each variant's finished folds that the baseline has too, and the titles of
    variants that lack folds."""
    found: dict[str, list[dict]] = {}
    lacks = []
    numbers = range(1, 1 + len(material.held_out(args.quick)))
    for variant in VARIANTS:
        parent = args.runs / "experiments" / run_folder(variant, budget, material)
        paths = [parent / f"fold-{number}.json" for number in numbers]
        there = [json.loads(path.read_text(encoding="utf-8")) for path in paths if path.exists()]
        known = {part["fold"] for part in found.get(BASELINE.key, there)}
        if usable := [part for part in there if part["fold"] in known]:
            found[variant.key] = usable
        lacks += [variant.title] if len(usable) < len(paths) else []
    return found, lacks


def _command(args: argparse.Namespace, variant: Variant) -> str:
    """Return the command that trains one variant alone, whatever this run's own options."""
    words, skipping = [], False
    for word in args.words:
        skipping = word in ("--variants", "--folds") or (skipping and not word.startswith("--"))
        words += [] if skipping else [word]
    return command_line([*words, "--variants", variant.key])


def _counts_of(part: Mapping, kind: str) -> dict[str, list[list[Counts]]]:
    return {
        name: [[Counts(*each) for each in slices] for slices in thresholds]
        for name, thresholds in part["counts"][kind].items()
    }


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
