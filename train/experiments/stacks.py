"""``python -m train stacks``: deep stacks of convolutions with and without a way past the layers.

The same 24 convolutions in a row are trained on the same slices in four ways, each from several seeds.
Writes ``assets/metrics/stacks.json``. Beside what every experiment's file holds
(`train.experiments.common`):

- ``arms``: one a way and seed: ``key`` (of `CHAINS`), ``title``, ``seed``, ``curve`` and times as in
  `train.experiments.common.train_arm`, ``score`` on the validation patients (mean Dice with its interval,
  and ``patients`` by folder).
- ``gradients``: one a way, before (``when`` "start") and after the training ("trained"), each the mean
  over the seeds, entries as in `train.experiments.gradients.entry`.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import keras
from keras import layers

from btmodels.networks.blocks import conv, logits, norm_relu
from btmodels.training import losses
from btmodels.transforms.postprocess import sigmoid
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.gradients import entry, kernel_gradients, tumor_batch
from train.experiments.slices import Dataset, load_dataset
from train.fit.select import predict_logits

QUESTION = "Does a deep stack of layers learn, and what do normalization and a shortcut add?"

DEPTH = 24
"""Convolutions of each stack."""

SEEDS = 3
SIZE = 64
PARTS = 10
EACH_SLICES = 4000

CHAINS = {
    "plain_glorot": (f"{DEPTH} convolutions, Glorot initialization", "glorot_uniform"),
    "plain_he": (f"{DEPTH} convolutions, He initialization", "he_normal"),
    "normalized": (f"{DEPTH} convolutions, normalized", "he_normal", True),
    "residual": (f"{DEPTH} convolutions, normalized, with residuals", "he_normal", True, True),
}
"""Title and arguments of `build_chain`, by key. He initialization keeps the variance of signals in a plain
chain of ReLUs (He et al. 2015, arXiv:1502.01852)."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, SIZE, batch_size=16)


def main(args: argparse.Namespace) -> int:
    args.policy = args.policy or "float32"  # gradients over many decades
    if not common.ready(args):
        return 2
    dataset = load_dataset(args)
    budget = common.budget_of(args, PARTS)
    depth, seeds = (4, 1) if args.quick else (DEPTH, SEEDS)
    parent = args.runs / "experiments" / f"stacks-{common.run_name(budget, dataset)}"
    arms = [
        run(key, replace(budget, seed=budget.seed + number), dataset, parent, depth)
        for key in CHAINS
        for number in range(seeds)
    ]
    norms = {(arm["key"], arm["seed"]): arm.pop("gradients") for arm in arms}
    common.write(
        args,
        "stacks",
        QUESTION,
        budget,
        dataset,
        depth=depth,
        arms=arms,
        gradients=[
            entry(key, title, when, [norms[pair][when] for pair in norms if pair[0] == key])
            for key, (title, *_) in CHAINS.items()
            for when in ("start", "trained")
        ],
    )
    for arm in arms:
        print(f"{arm['title']}, seed {arm['seed']}: mean Dice {arm['score']['mean_dice']}")
    return 0


def run(key: str, budget: Budget, dataset: Dataset, parent: Path, depth: int = DEPTH) -> dict:
    """Train one stack from one seed, or take what a finished run left.

    Returns:
        The arm's entry, and ``gradients``: norms by layer, at ``start`` and ``trained``.
    """
    title, *how = CHAINS[key]
    folder = parent / f"{key}-{budget.seed}"

    def make() -> dict:
        keras.utils.set_random_seed(budget.seed)
        shape = (budget.size, budget.size, 3)
        model, probe = (build_chain(shape, depth, *how) for _ in range(2))
        training, validation = dataset.subset("train"), dataset.subset("validation")
        batch = tumor_batch(training)

        def norms() -> dict[str, float]:
            probe.set_weights(model.get_weights())
            return kernel_gradients(probe, batch, losses.bce_dice)

        start = norms()
        found = common.train_arm(
            model,
            losses.bce_dice,
            training,
            budget,
            folder,
            scores.segmenter_score(scores.every(validation, 3)),
        )
        probability = sigmoid(predict_logits(model, validation)[..., 0])
        return {
            **found,
            "score": scores.score_segmenter(probability, validation),
            "gradients": {"start": start, "trained": norms()},
        }

    return {
        "key": key,
        "title": title,
        "seed": budget.seed,
        **common.once(folder / "result.json", make),
    }


def build_chain(
    shape: tuple[int, int, int],
    depth: int,
    start: str,
    normalized: bool = False,
    residual: bool = False,
    filters: int = 8,
) -> keras.Model:
    """Build 3 x 3 convolutions in a row at half resolution, each with ReLU.

    Args:
        shape: (rows, cols, 3).
        depth: Convolutions.
        start: Keras's name of the kernels' initializer.
        normalized: Put batch normalization and ReLU before each convolution instead of a ReLU behind it.
        residual: Add each convolution's input to what it gives (He et al. 2016, arXiv:1603.05027).
        filters: Channels.
    """
    inputs = keras.Input(shape, name="slice")
    x = layers.AveragePooling2D(2, name="halve")(inputs)
    x = conv(x, filters, "stem")
    for step in range(1, depth + 1):
        y = norm_relu(x, f"norm{step}") if normalized else x
        y = layers.Conv2D(filters, 3, padding="same", kernel_initializer=start, name=f"conv{step}")(
            y
        )
        y = y if normalized else layers.ReLU(name=f"relu{step}")(y)
        x = layers.Add(name=f"add{step}")([x, y]) if residual else y
    x = layers.UpSampling2D(2, name="double")(x)
    return keras.Model(inputs, logits(x))
