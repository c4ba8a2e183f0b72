"""Common parts of the experiments: slices, one budget for every arm, and one file format.

An experiment trains a network in several ways ("arms") that differ in one respect. Every arm sees the same
number of slices from one seed, and its file says so. Runs are in ``runs/experiments/NAME/ARM`` and resume
when the same command is given again; a finished arm is not run twice.

Besides its own results, every experiment's file in ``assets/metrics`` holds ``experiment``,
``question``, ``command``, ``budget`` (a `Budget` as a dict, the same for every arm), ``seed``, ``data``
(``patients``, ``slices``, ``synthetic``, ``sha256`` of all slices and masks as read),
``split_sha256`` (null if the data are not the split's and a split was drawn), ``versions``, ``machine``,
``cores`` (available to the process), ``quick`` and ``complete`` (false while an arm is missing;
``lacks`` then lists the missing ones). Times are given twice: ``cpu_seconds`` of the process, which a busy
machine hardly changes, and ``wall_seconds``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import keras
import loky
import numpy as np

from btmodels.dataset import cohort
from btmodels.inference.precision import fastest_policy
from btmodels.networks.unet import build_unet
from btmodels.training.fitting import FitConfig, fit
from train import options
from train.experiments.slices import Dataset
from train.fit.data import Epoch
from train.fit.subset import Subset
from train.provenance import command_line, machine, read_json, versions, write_json

QUICK_SIZE, QUICK_SLICES = 32, 32

SMALL, SMALLEST = (8, 16, 32, 64, 128), (4, 8)
"""Channels per level of the small U-Net of most comparisons, and of that for ``--quick``."""


@dataclass(frozen=True)
class Budget:
    """The training budget of every arm of an experiment.

    Attributes:
        size: Rows and columns of the slices.
        slices: Augmented training slices per arm; slices with tumor are drawn twice as often.
        parts: Number of equal parts of the training, each followed by a validation.
        batch_size: Slices per step.
        learning_rate: Peak of the one-cycle schedule of AdamW.
        seed: Seed of weights, order and augmentation.
        policy: Keras dtype policy.
        fade: Probability of making a slice's lesion fainter.
        ema: Momentum of the weights' exponential moving average; 0 keeps none.
        augmentation: Further augmentations, by the names of `train.fit.augment.Augmentation`.
    """

    size: int
    slices: int
    parts: int
    batch_size: int = 8
    learning_rate: float = 2e-3
    seed: int = 0
    policy: str = "float32"
    fade: float = 0.0
    ema: float = 0.0
    augmentation: Mapping[str, Any] = field(default_factory=dict)

    def config(self, **changed) -> FitConfig:
        """Return the configuration for `btmodels.training.fitting.fit`."""
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
            ema=self.ema,
            augmentation=dict(self.augmentation),
        )
        return replace(made, **changed)


def add_arguments(
    parser: argparse.ArgumentParser, slices: int, size: int = 128, batch_size: int = 8
) -> None:
    """Add the options of all experiments."""
    parser.add_argument(
        "--data", type=Path, help="folder kaggle_3m, or its parent; with --quick the bundled cohort"
    )
    options.add(parser, "--assets", "--runs")
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
    """Check the options, set the policy, and reduce the budget for ``--quick``; False if they are wrong."""
    if not options.spares_committed(args):
        return False
    if args.quick:
        args.size, args.slices = QUICK_SIZE, QUICK_SLICES
        args.data = args.data or cohort.samples_root()
        args.policy = args.policy or "float32"
    if args.data is None:
        print("--data DIR is missing: the folder of the data set", file=sys.stderr)
        return False
    keras.config.set_dtype_policy(args.policy or fastest_policy())
    return True


def fold_numbers(args: argparse.Namespace) -> range:
    """Return the numbers of the folds to evaluate; with ``--quick`` two."""
    return range(1, 3 if args.quick else 6)


def budget_of(args: argparse.Namespace, parts: int, **more) -> Budget:
    """Return the budget given on the command line."""
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


def build_small_unet(budget: Budget, skips: str = "joined") -> keras.Model:
    """Build the small U-Net of most comparisons with random weights."""
    return build_unet((budget.size, budget.size, 3), filters_of(budget), skips=skips)


def describe_small_unet(budget: Budget, parameters: int) -> dict[str, Any]:
    """Return the ``network`` entry of a comparison with the small U-Net."""
    return {"name": "unet", "filters": list(filters_of(budget)), "parameters": parameters}


def run_name(budget: Budget, dataset: Dataset) -> str:
    """Return a run's folder name, unique by everything that its results depend on.

    The most important settings are spelled out; a digest covers budget, slices, masks and split.
    """
    key = {"budget": asdict(budget), "data": dataset.sha256, "split": dataset.split_sha256}
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:8]
    return f"{budget.size}px-{budget.slices}-by-{budget.batch_size}-seed-{budget.seed}-{digest}"


class ProcessTime(keras.callbacks.Callback):
    """Keeps each epoch's CPU seconds in a file next to its checkpoints, so that a resumed run
    knows all of them."""

    def __init__(self, folder: Path):
        super().__init__()
        self.path = folder / "cpu.json"

    def seconds(self) -> list[float]:
        """Return the CPU seconds of the epochs so far."""
        return read_json(self.path) or []

    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.process_time()

    def on_epoch_end(self, epoch, logs=None):
        spent = [*self.seconds()[:epoch], round(time.process_time() - self.began, 2)]
        self.path.write_text(json.dumps(spent))


def train_arm(
    model: keras.Model,
    loss,
    training: Subset,
    budget: Budget,
    folder: Path,
    validate: Callable[[keras.Model], float],
    epoch_of: Callable[..., Epoch] = Epoch.of,
    **changed,
) -> dict[str, Any]:
    """Train a network on one arm's budget, or resume, and leave it with its best validated weights.

    Args:
        model: Model built under the budget's policy.
        loss: As for `btmodels.training.fitting.fit`.
        training: Slices to draw from.
        budget: The experiment's budget.
        folder: Folder of the run.
        validate: Maps the model to a score; higher is better. Its time does not count.
        epoch_of: Makes the batches of an epoch, with the arguments of `Epoch.of`.
        changed: Fields of the budget's `FitConfig` to override.

    Returns:
        ``parameters``, ``trained_parameters``, ``cpu_seconds``, ``wall_seconds``, ``best_part`` and
        ``curve``, one row per part: ``slices``, ``loss``, ``score``, ``cpu_seconds`` (since the start).
    """
    folder.mkdir(parents=True, exist_ok=True)
    config, watch = budget.config(**changed), ProcessTime(folder)

    def epoch_data(epoch: int) -> Epoch:
        return epoch_of(training, config, epoch)

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
    """Return the content of ``path``; if there is none, write the result of ``make`` there first."""
    if not path.exists():
        write_json(path, make())
    return read_json(path)


def describe_run(
    args: argparse.Namespace, question: str, lacks: Sequence[str] = (), quick: bool = False
) -> dict[str, Any]:
    """Return the fields with which every experiment's file begins, also if nothing was trained for it."""
    return {
        "experiment": args.command,
        "question": question,
        "command": command_line(args.words),
        "quick": quick,
        "complete": not lacks,
        "lacks": list(lacks),
        "machine": machine(),
        "versions": versions(),
    }


def document(
    args: argparse.Namespace,
    question: str,
    budget: Budget | None,
    dataset: Dataset,
    lacks: Sequence[str] = (),
    **body,
) -> dict[str, Any]:
    """Return the content of an experiment's file: the common fields (see the module docstring), then
    ``body``."""
    return {
        **describe_run(args, question, lacks, args.quick),
        "budget": budget and asdict(budget),
        "seed": args.seed,
        "data": {
            "patients": len(set(dataset.slices.patients)),
            "slices": len(dataset.slices.pixels),
            "synthetic": dataset.synthetic,
            "sha256": dataset.sha256,
        },
        "split_sha256": dataset.split_sha256,
        "cores": loky.cpu_count(),
        **body,
    }


def write(args: argparse.Namespace, name: str, *common: Any, **body) -> None:
    """Write an experiment's file, ``metrics/NAME.json``; the further arguments are those of `document`."""
    write_json(args.assets / "metrics" / f"{name}.json", document(args, *common, **body))
