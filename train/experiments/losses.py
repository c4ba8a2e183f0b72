"""``python -m train losses``: the same small U-Net trained with five losses.

Writes ``assets/metrics/losses.json``. In addition to the common fields of experiments
(`train.experiments.common`):

- ``network``: ``name``, ``filters``, ``parameters``.
- ``slices``: the synthetic slices to show, each with ``patient``, ``number``, ``truth_pixels``, and
  ``image_png`` (the FLAIR channel) and ``truth_png`` (0 / 255), base64 of gray PNG files of ``size`` x
  ``size``. The file contains no picture of a real patient.
- ``arms``: in order, each with ``key``, ``title``, ``formula``, ``source``, ``score`` (validation patients
  at threshold 0.5, see `train.experiments.scores.score_segmenter`), ``by_threshold`` (rows of
  ``threshold``, ``mean_dice``, ``false_alarm_rate``), ``best_threshold`` (that with the best mean Dice),
  ``curve`` and times (`train.experiments.common.train_arm`), and ``shown``, for each of ``slices`` in order
  ``levels_png`` (probability in 255ths, base64 of a gray PNG), ``marked_pixels`` and ``dice``
  at threshold 0.5 (null where both masks are empty).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import keras

from btmodels.training import losses
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.shown_slices import describe_slices, evaluate, pick_slices
from train.experiments.slices import Dataset, load_dataset
from train.fit.subset import Subset

QUESTION = "What does the loss that a network is trained with decide?"

ARMS = (
    (
        "bce",
        "Cross-entropy",
        "mean of -t log(p) - (1 - t) log(1 - p)",
        "Good 1952, J R Stat Soc B 14:107",
    ),
    (
        "dice",
        "Dice",
        "1 - 2 sum(t p) / (sum(t) + sum(p))",
        "Milletari et al. 2016, arXiv:1606.04797",
    ),
    (
        "bce_dice",
        "Cross-entropy + Dice",
        "the sum of both",
        "as this site's networks are trained",
    ),
    (
        "tversky",
        "Tversky",
        "1 - TP / (TP + 0.7 FN + 0.3 FP) of probabilities",
        "Salehi, Erdogmus, Gholipour 2017, arXiv:1706.05721",
    ),
    (
        "focal",
        "Focal",
        "mean of -a (1 - p)^2 log(p) over what is so; a = 0.25 on tumor, 0.75 elsewhere",
        "Lin et al. 2017, arXiv:1708.02002",
    ),
)
"""Key of `btmodels.training.losses.LOSSES`, title, formula in words, source."""

PARTS = 5
EACH_SLICES = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, batch_size=16)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    dataset = load_dataset(args)
    budget = common.budget_of(args, PARTS)
    shown = pick_slices(budget.size)
    arms = [
        {
            "key": key,
            "title": title,
            "formula": formula,
            "source": source,
            **run(key, losses.LOSSES[key], budget, dataset, args.runs, shown)[0],
        }
        for key, title, formula, source in ARMS
    ]
    common.write(
        args,
        "losses",
        QUESTION,
        budget,
        dataset,
        network=common.describe_small_unet(budget, arms[0]["parameters"]),
        slices=describe_slices(shown),
        arms=arms,
    )
    for arm in arms:
        print(f"{arm['title']}: mean Dice {arm['score']['mean_dice']}")
    return 0


def run(
    key: str,
    loss: Callable,
    budget: Budget,
    dataset: Dataset,
    runs: Path,
    shown: Subset,
    skips: str = "joined",
) -> tuple[dict, Callable[[], keras.Model]]:
    """Train the small U-Net in one way, or return the result of a finished run.

    Returns:
        The arm's entry, and a function that builds its network with the trained weights.
    """
    keras.utils.set_random_seed(budget.seed)
    # The experiments losses and skips share one arm.
    folder = runs / "experiments" / f"small-{common.run_name(budget, dataset)}" / key
    weights = folder / "trained.weights.h5"

    def trained() -> keras.Model:
        model = common.build_small_unet(budget, skips)
        model.load_weights(weights)
        return model

    def make() -> dict:
        model = common.build_small_unet(budget, skips)
        validation = dataset.subset("validation")
        found = common.train_arm(
            model,
            loss,
            dataset.subset("train"),
            budget,
            folder,
            scores.segmenter_score(scores.every(validation, 3)),
        )
        model.save_weights(weights)
        return {**found, **evaluate(model, validation, shown)}

    return common.once(folder / "result.json", make), trained
