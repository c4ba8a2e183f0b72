"""``python -m train skips``: measure what skip connections contribute.

A small U-Net is trained with and without skips, in pairs on the same budget, a pair a seed. Writes
``assets/metrics/skips.json`` and, for the lesson on encoder and decoder, the networks of the first pair as
float16 in ``assets/metrics/networks/``. Beside what every experiment's file holds
(`train.experiments.common`):

- ``slices``: as in losses.json.
- ``arms``: of the first seed ``joined`` (the small U-Net with all skips), ``zeroed`` (the very same
  weights, with zeros in the place of every skip when it is used) and ``absent`` (trained without any),
  entries as in losses.json; ``zeroed`` has no curve and no times, for nothing is trained.
- ``pairs``: one a seed: ``seed``, and of ``joined`` and ``absent`` the ``score`` on the validation
  patients (see `train.experiments.scores.score_segmenter`) and the ``curve``.
- ``networks``: for ``joined`` and ``absent``: ``file`` (name in ``assets/metrics/networks``), ``sha256``,
  ``builder`` (``btmodels.networks.unet:build_unet``), ``input_shape``, ``filters`` and ``skips``, the
  builder's arguments. They are no networks of the registry: they exist to be compared.
- ``gradients``: how much of the loss's gradient reaches each layer of the U-Nets, at the start and after
  training, each the mean over the seeds, entries as in `train.experiments.gradients.entry`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from btmodels import weights
from btmodels.training import losses
from train.experiments import common
from train.experiments.common import Budget
from train.experiments.gradients import entry, kernel_gradients, tumor_batch
from train.experiments.losses import PARTS, run
from train.experiments.shown_slices import describe_slices, evaluate, pick_slices
from train.experiments.slices import load_dataset

QUESTION = "What do skip connections carry, and do they keep gradients from vanishing?"

SEEDS = 3
"""Pairs."""

SIZE = 96
EACH_SLICES = 12000

TITLES = {"joined": "U-Net with skips", "absent": "U-Net without skips"}
_RUNS = {"joined": "bce_dice", "absent": "absent"}
"""Folders of the runs; the one with skips is an arm of the losses, too."""

_FILES = {"joined": "unet_small", "absent": "unet_small_without_skips"}
_OUT = "networks"

Build = Callable[[], keras.Model]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, SIZE, batch_size=16)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    dataset = load_dataset(args)
    budget = common.budget_of(args, PARTS)
    shown = pick_slices(budget.size)
    seeds = [budget.seed + number for number in range(1 if args.quick else SEEDS)]
    trained = {
        (key, seed): run(
            name, losses.bce_dice, replace(budget, seed=seed), dataset, args.runs, shown, skips=key
        )
        for seed in seeds
        for key, name in _RUNS.items()
    }
    parent = args.runs / "experiments" / f"small-{common.run_name(budget, dataset)}"
    measured = common.once(
        parent / f"gradients-{len(seeds)}.json",
        lambda: {
            "entries": gradients(
                tumor_batch(dataset.subset("train")),
                {pair: build for pair, (_, build) in trained.items()},
                budget,
            )
        },
    )
    joined, absent = (trained[key, seeds[0]] for key in _RUNS)
    zeroed = common.build_small_unet(budget, "zeroed")
    zeroed.set_weights(joined[1]().get_weights())
    arms = [
        {"key": "joined", "title": "With skips", **joined[0]},
        {
            "key": "zeroed",
            "title": "The same, skips switched off when used",
            **evaluate(zeroed, dataset.subset("validation"), shown),
        },
        {"key": "absent", "title": "Trained without skips", **absent[0]},
    ]
    common.write(
        args,
        "skips",
        QUESTION,
        budget,
        dataset,
        slices=describe_slices(shown),
        arms=arms,
        pairs=[
            {
                "seed": seed,
                **{
                    key: {name: trained[key, seed][0][name] for name in ("score", "curve")}
                    for key in _RUNS
                },
            }
            for seed in seeds
        ],
        networks=[
            _keep(key, build, budget, args.assets / "metrics" / _OUT)
            for key, (_, build) in (("joined", joined), ("absent", absent))
        ],
        gradients=measured["entries"],
    )
    for (key, seed), (each, _) in trained.items():
        print(
            f"{TITLES[key]}, seed {seed}: mean Dice {each['score']['mean_dice']}, "
            f"95% Hausdorff distance {each['score']['hausdorff95']}"
        )
    return 0


def _keep(key: str, build: Build, budget: Budget, parent: Path) -> dict:
    """Write a network's weights and return its entry in the file."""
    file = f"{_FILES[key]}.weights.h5"
    return {
        "key": key,
        "file": file,
        "sha256": weights.save_float16(build(), parent / file),
        "builder": "btmodels.networks.unet:build_unet",
        "input_shape": [budget.size, budget.size, 3],
        "filters": list(common.filters_of(budget)),
        "skips": key,
    }


def gradients(
    batch: tuple[np.ndarray, np.ndarray], trained: dict[tuple[str, int], Build], budget: Budget
) -> list[dict]:
    """Measure how much gradient reaches each layer of the U-Nets, at the start and after training.

    Args:
        batch: Standardized slices, (n, size, size, 3), and masks, (n, size, size, 1).
        trained: By the builder's ``skips`` and seed, what builds the trained network.
        budget: Of the training.

    Returns:
        The ``gradients`` entry of the file.
    """
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # norms over many decades
    norms: dict[tuple[str, str], list[dict[str, float]]] = {}
    try:
        for (skips, seed), build in trained.items():
            keras.utils.set_random_seed(seed)
            fresh = common.build_small_unet(budget, skips)
            for when, model in (("start", fresh), ("trained", build())):
                found = kernel_gradients(model, batch, losses.bce_dice)
                norms.setdefault((skips, when), []).append(found)
    finally:
        keras.config.set_dtype_policy(policy)
    return [
        entry(f"unet_{skips}", TITLES[skips], when, found) for (skips, when), found in norms.items()
    ]
