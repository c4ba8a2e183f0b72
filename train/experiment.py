"""What the experiments share: the same slices, the same budget for every arm, and one form of file.

An experiment trains a network several ways ("arms") that differ in one thing. Every arm sees the same
number of slices from one seed, and its file says so. Runs live in ``runs/experiments/NAME/ARM`` and go on
where they were when the same command is given again; a finished arm is not run twice.

Every file in ``assets/metrics`` that an experiment writes holds, beside its own results: ``experiment``,
``question``, ``command``, ``budget`` (a `Budget` as a dict, the same for every arm), ``seed``, ``data``
(``patients``, ``slices``, ``synthetic``, ``sha256`` of all slices and masks as they were read),
``split_sha256`` (null where the data are not the split's and a split was drawn), ``versions``, ``machine``,
``cores`` (that the process was allowed), ``quick`` and ``complete`` (false while an arm is missing;
``lacks`` then says what). Times are given twice:
``cpu_seconds`` of the process, which a busy machine hardly changes, and ``wall_seconds``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btmodels import cohort, metrics, registry
from btmodels.errors import CohortError
from btmodels.fitting import FitConfig, fit
from btmodels.intervals import bootstrap_interval, grouped_interval
from btmodels.metrics import Counts
from btmodels.precision import fastest_policy
from train.bench import machine
from train.choose import predict_logits
from train.data import Epoch, Subset, read_subset
from train.provenance import command_line, versions
from train.split import draw

QUICK_SIZE, QUICK_SLICES = 32, 32

SMALL, SMALLEST = (8, 16, 32, 64, 128), (4, 8)
"""Channels of the levels of the small U-Net on which most is compared, and of ``--quick``'s."""


@dataclass(frozen=True)
class Budget:
    """What every arm of an experiment gets.

    Attributes:
        size: Rows and columns of the slices.
        slices: Slices an arm is trained on, augmented, those with tumor drawn twice as often.
        parts: The training is validated after each of so many equal parts.
        batch_size: Slices a step.
        learning_rate: Peak of the one-cycle schedule of AdamW.
        seed: Of weights, order and augmentation.
        policy: Of Keras: what numbers it is computed in.
        fade: Chance that a slice's lesion is made fainter.
    """

    size: int
    slices: int
    parts: int
    batch_size: int = 8
    learning_rate: float = 2e-3
    seed: int = 0
    policy: str = "float32"
    fade: float = 0.0

    def config(self, **changed) -> FitConfig:
        """Return how `btmodels.fitting.fit` trains on it."""
        each = self.slices // self.parts // self.batch_size * self.batch_size
        made = FitConfig(
            epochs=self.parts,
            num_slices=each,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            warmup=0.1,
            seed=self.seed,
            validate_every=1,
            fade=self.fade,
        )
        return replace(made, **changed)


@dataclass(frozen=True)
class Material:
    """All slices at hand but those of the reference patients, and who is who.

    Attributes:
        slices: Of all patients.
        split: Folder names by ``train``, ``validation`` and ``test``.
        folds: Folder names of the folds.
        split_sha256: Of the project's split; None where one was drawn for other data.
        synthetic: Whether the patients are made up.
        sha256: Of pixels and masks.
    """

    slices: Subset
    split: dict[str, list[str]]
    folds: list[list[str]]
    split_sha256: str | None
    synthetic: bool
    sha256: str

    def of(self, folders: Sequence[str]) -> Subset:
        """Return the slices of some patients."""
        return self.slices.take(np.isin(self.slices.patients, list(folders)))

    def subset(self, name: str) -> Subset:
        """Return the slices of ``train``, ``validation`` or ``test``."""
        return self.of(self.split[name])


def add_arguments(
    parser: argparse.ArgumentParser, slices: int, size: int = 128, batch_size: int = 8
) -> None:
    """Add the options that all experiments have."""
    parser.add_argument(
        "--data", type=Path, help="folder kaggle_3m, or its parent; with --quick the bundled cohort"
    )
    parser.add_argument("--assets", type=Path, default=registry.ASSETS, help="folder to write")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="checkpoints and logs")
    parser.add_argument("--size", type=int, default=size, help=f"rows and columns; default {size}")
    parser.add_argument(
        "--slices", type=int, default=slices, help=f"slices an arm is trained on; default {slices}"
    )
    parser.add_argument(
        "--batch-size", type=int, default=batch_size, help=f"slices a step; default {batch_size}"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--policy", choices=("float32", "mixed_bfloat16"), help="default: fastest")
    parser.add_argument(
        "--quick", action="store_true", help="tiny, on the bundled cohort, into another --assets"
    )


def ready(args: argparse.Namespace) -> bool:
    """Check the options, set the policy, and cut the budget for ``--quick``; False if they are wrong."""
    if args.quick:
        if args.assets.resolve() == registry.ASSETS.resolve():
            print("--quick needs --assets DIR: it never writes into the committed folder.")
            return False
        args.size, args.slices = QUICK_SIZE, QUICK_SLICES
        args.data = args.data or cohort.samples_root()
        args.policy = args.policy or "float32"
    if args.data is None:
        print("Say where the data is: --data DIR", file=sys.stderr)
        return False
    keras.config.set_dtype_policy(args.policy or fastest_policy())
    return True


def budget_of(args: argparse.Namespace, parts: int, **more) -> Budget:
    """Return the budget that the command line asks for."""
    return Budget(
        size=args.size,
        slices=args.slices,
        parts=2 if args.quick else parts,
        batch_size=args.batch_size,
        seed=args.seed,
        policy=keras.config.dtype_policy().name,
        **more,
    )


def filters_of(budget: Budget) -> tuple[int, ...]:
    """Return the channels of the small U-Net's levels."""
    return SMALLEST if budget.size <= QUICK_SIZE else SMALL


def run_name(budget: Budget) -> str:
    """Name a run's folder by what a budget may differ in."""
    return f"{budget.size}px-{budget.slices}-by-{budget.batch_size}-seed-{budget.seed}"


def source_assets(args: argparse.Namespace) -> Path:
    """Return the folder whose split and weights hold: the one written to, or, where that is a new one
    without a split, the committed one."""
    own = (args.assets / "splits" / "patients.json").exists()
    return args.assets if own else registry.ASSETS


def load_material(args: argparse.Namespace) -> Material:
    """Read all patients' slices once; they are kept in ``runs`` for the next experiment.

    The project's split holds where the data folder has patients of each of its subsets; for other data,
    such as the synthetic cohort, one is drawn by patient. Reference patients are never opened.

    Raises:
        CohortError: The folder has no patients, or too few to divide.
    """
    assets = source_assets(args)
    committed = cohort.load_split(assets)
    patients = [p for p in cohort.read_cohort(args.data) if p.folder not in committed["reference"]]
    folders = {p.folder for p in patients}
    known = all(folders & set(committed[name]) for name in ("train", "validation", "test"))
    if known:
        kept = [f for name in ("train", "validation", "test") for f in committed[name]]
        patients = [p for p in patients if p.folder in kept]
        split, folds = committed, cohort.load_folds(assets)
        sha256 = cohort.split_sha256(assets)
    else:
        split = draw(sorted(folders), args.seed, validation=0.2, test=0.25)
        folds, sha256 = split["folds"], None
    slices = _read(patients, args.size, args.runs / "experiments")
    return Material(
        slices,
        {name: list(split[name]) for name in ("train", "validation", "test")},
        [list(fold) for fold in folds],
        sha256,
        all(folder.startswith("SYNT_") for folder in folders),
        _hash(slices),
    )


def _read(patients: Sequence, size: int, place: Path) -> Subset:
    listed = [
        (str(path.name), path.stat().st_size, path.stat().st_mtime_ns)
        for patient in patients
        for file in patient.files
        for path in filter(None, (file.image, file.mask))
    ]
    if not listed:
        raise CohortError("These patients have no slices.")
    stamp = hashlib.sha256(repr(listed).encode()).hexdigest()[:12]
    path = place / f"slices-{size}-{stamp}.npz"
    if path.exists():
        with np.load(path, allow_pickle=False) as kept:
            return Subset(
                kept["pixels"], kept["masks"], tuple(kept["patients"]), tuple(kept["numbers"])
            )
    slices = read_subset(patients, size)
    place.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(
        f".{os.getpid()}.part"
    )  # folds of one experiment may run side by side
    with partial.open("wb") as file:
        np.savez(
            file,
            pixels=slices.pixels,
            masks=slices.masks,
            patients=np.array(slices.patients),
            numbers=np.array(slices.numbers),
        )
    partial.replace(path)
    return slices


def _hash(slices: Subset) -> str:
    found = hashlib.sha256("\n".join(slices.patients).encode())
    found.update(slices.pixels)
    found.update(slices.masks)
    return found.hexdigest()


class ProcessTime(keras.callbacks.Callback):
    """Keeps each epoch's processor seconds in a file beside its checkpoints, so that a run that was
    stopped and continued knows all of them."""

    def __init__(self, folder: Path):
        super().__init__()
        self.path = folder / "cpu.json"

    def seconds(self) -> list[float]:
        """Return those of the epochs so far."""
        return json.loads(self.path.read_text()) if self.path.exists() else []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        spent = [*self.seconds()[:epoch], round(time.process_time() - self.began, 2)]
        self.path.write_text(json.dumps(spent))


class TwoTargets(Epoch):
    """`Epoch` with the two targets of a classifier that has its localizer."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **{**kwargs, "verdict": True})


def train_arm(
    model: keras.Model,
    loss,
    training: Subset,
    budget: Budget,
    folder: Path,
    validate: Callable[[keras.Model], float],
    kind: type[Epoch] = Epoch,
    **changed,
) -> dict[str, Any]:
    """Train a network on one arm's budget, or go on with it, and leave it as it validated best.

    Args:
        model: Built, in the policy of the budget.
        loss: As for `btmodels.fitting.fit`.
        training: Slices to draw from.
        budget: The experiment's.
        folder: Of the run.
        validate: From the model to a score; higher is better. It is not part of the times.
        kind: How batches are made.
        changed: Of the budget's `FitConfig`.

    Returns:
        ``parameters``, ``trained_parameters``, ``cpu_seconds``, ``wall_seconds``, ``best_part`` and
        ``curve``, a row a part: ``slices``, ``loss``, ``score``, ``cpu_seconds`` (all since the start).
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, watch = budget.config(**changed), ProcessTime(folder)

    def epoch_data(epoch: int) -> Epoch:
        return kind(
            training,
            config.seed,
            epoch,
            config.batch_size,
            config.num_slices,
            fade=config.fade,
            again=True,  # every arm gets its whole budget, however few its patients
            workers=1,
            max_queue_size=4,
        )

    state = fit(
        model,
        loss,
        epoch_data,
        validate,
        config,
        folder,
        say=lambda line: print(f"{folder.name}: {line}", flush=True),
        callbacks=(watch,),
    )
    spent = np.cumsum(watch.seconds())
    each = len(epoch_data(0)) * config.batch_size
    trained = sum(int(np.prod(w.shape)) for w in model.trainable_variables)
    return {
        "parameters": model.count_params(),
        "trained_parameters": trained,
        "cpu_seconds": round(float(spent[-1]), 1),
        "wall_seconds": round(state["seconds"], 1),
        "best_part": state["best_epoch"],
        "curve": [
            {
                "slices": each * row["epoch"],
                "loss": round(row["loss"], 5),
                "score": None if row["score"] is None else round(row["score"], 5),
                "cpu_seconds": round(float(seconds), 1),
            }
            for row, seconds in zip(state["history"], spent, strict=True)
        ],
    }


def once(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what ``make`` made and wrote to ``path`` earlier, else make it now."""
    if path.exists():
        return json.loads(path.read_text(encoding="utf-8"))
    made = make()
    write_json(path, made)
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a document whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(path)


def document(
    args: argparse.Namespace,
    question: str,
    budget: Budget | None,
    material: Material,
    lacks: Sequence[str] = (),
    **body,
) -> dict[str, Any]:
    """Return an experiment's file: what all have in common (see this module's docstring), then ``body``."""
    return {
        "experiment": args.command,
        "question": question,
        "command": command_line(args.words),
        "quick": args.quick,
        "complete": not lacks,
        "lacks": list(lacks),
        "budget": budget and asdict(budget),
        "seed": args.seed,
        "data": {
            "patients": len(set(material.slices.patients)),
            "slices": len(material.slices.pixels),
            "synthetic": material.synthetic,
            "sha256": material.sha256,
        },
        "split_sha256": material.split_sha256,
        "machine": machine(),
        "cores": _cores(),
        "versions": versions(),
        **body,
    }


def _cores() -> int:
    """How many cores this process may use, which may be fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def score_segmenter(probability: np.ndarray, slices: Subset, threshold: float = 0.5) -> dict:
    """Score probability maps at the slices' own size.

    Args:
        probability: float, (n, size, size).
        slices: The same n slices.
        threshold: On the probability.

    Returns:
        ``mean_dice`` and ``median_dice`` (volumetric, of patients) with ``mean_dice_interval``,
        ``tumor_slice_dice`` and ``pooled_dice`` with intervals over patients, ``false_alarm_rate``,
        ``precision``, ``recall`` (pooled), ``slices``, ``patients`` (by folder, its Dice).
    """
    masks, truth = probability >= threshold, slices.masks > 127
    found: dict[str, list[Counts]] = {}
    for mask, true, name in zip(masks, truth, slices.patients, strict=True):
        found.setdefault(str(name), []).append(metrics.count(mask, true))
    volumetric = {name: metrics.dice(metrics.total(each)) for name, each in found.items()}
    groups = list(found.values())
    every = [each for group in groups for each in group]
    empty = [each for each in every if not each.tp + each.fn]
    pooled = metrics.total(every)
    return {
        "mean_dice": metrics.mean_of(volumetric.values()),
        "mean_dice_interval": bootstrap_interval(list(volumetric.values())),
        "median_dice": metrics.median_of(volumetric.values()),
        "tumor_slice_dice": _tumor_slice_dice(groups),
        "tumor_slice_dice_interval": grouped_interval(groups, _tumor_slice_dice, 500),
        "pooled_dice": metrics.dice(pooled),
        "pooled_dice_interval": grouped_interval(
            [metrics.total(group) for group in groups], lambda c: metrics.dice(metrics.total(c))
        ),
        "false_alarm_rate": sum(each.fp > 0 for each in empty) / len(empty) if empty else None,
        "precision": metrics.precision(pooled),
        "recall": metrics.recall(pooled),
        "slices": len(every),
        "patients": volumetric,
    }


def _tumor_slice_dice(groups: Sequence[Sequence[Counts]]) -> float | None:
    return metrics.mean_of(metrics.dice(c) for group in groups for c in group if c.tp + c.fn)


def segmenter_score(slices: Subset) -> Callable[[keras.Model], float]:
    """Return a validation for `train_arm`: volumetric Dice, mean of patients, at threshold 0.5."""

    def score(model: keras.Model) -> float:
        probability = predict_logits(model, slices)[..., 0] >= 0
        return score_quickly(probability, slices)

    return score


def score_quickly(masks: np.ndarray, slices: Subset) -> float:
    """Mean over patients of the volumetric Dice; 0 where it is undefined."""
    truth, names = slices.masks > 127, np.array(slices.patients)
    each = (
        metrics.dice(metrics.count(masks[names == name], truth[names == name]))
        for name in dict.fromkeys(slices.patients)
    )
    return metrics.mean_of(each) or 0.0


def every(slices: Subset, step: int) -> Subset:
    """Return each ``step``-th slice: enough for a curve, at a fraction of the time."""
    return slices.take(np.arange(0, len(slices.pixels), step))
