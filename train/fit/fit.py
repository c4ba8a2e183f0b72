"""``python -m train fit MODEL``: train a network on the training patients and choose its settings on the
validation patients.

Networks of `train.fit.recipes.CHOSEN_IN_FOLDS` train on both, and their settings come from their
cross-validation.

Writes ``assets/weights/MODEL.weights.h5`` and its record. A run is in ``runs/MODEL-DIGEST``, with a digest
of everything that its weights depend on, and resumes after its last epoch when the same command is
given again; ``--publish-now`` writes the best weights so far without training, marked as incomplete.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras

from btmodels import registry, weights
from btmodels.dataset.cohort import split_sha256
from btmodels.errors import WeightsError
from btmodels.inference.precision import fastest_policy
from btmodels.metrics.classification import average_precision, roc_auc
from btmodels.networks.resnet import with_localizer
from btmodels.training import distribution, losses
from btmodels.training.fitting import (
    FitConfig,
    compile_model,
    finished,
    fit,
    load_checkpoint,
    read_state,
)
from train import options
from train.fit import pretrained
from train.fit.data import Epoch
from train.fit.publish import earlier_runs, publish, sha256_of
from train.fit.recipes import CHOSEN_IN_FOLDS, POLICIES, RECIPES
from train.fit.select import mean_dice, predict_logits
from train.fit.subset import TRAINING_SUBSETS, Subset, join, load_subset
from train.provenance import command_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", choices=sorted(RECIPES))
    options.add(parser, "--data", required=True)
    options.add(parser, "--assets", "--runs")
    parser.add_argument("--from", dest="start", type=Path, help="weights file to start from")
    parser.add_argument(
        "--encoder",
        choices=("none", "classifier", *pretrained.FILES, "imagenet"),
        help="where the encoder's first weights come from (imagenet is a download)",
    )
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--num-slices", type=int, help="slices an epoch")
    parser.add_argument("--learning-rate", type=float)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--fade", type=float, help="chance that a lesion is made fainter, 0 to 1")
    parser.add_argument("--patients", type=int, help="use only so many patients of each subset")
    parser.add_argument("--policy", choices=("float32", "mixed_bfloat16"), help="default: fastest")
    parser.add_argument("--tensorboard", action="store_true", help="log for TensorBoard too")
    parser.add_argument(
        "--distribute",
        action="store_true",
        help="train on all devices, also of other machines, with Keras on JAX (see deploy/README.md)",
    )
    parser.add_argument("--publish-now", action="store_true", help="write the best weights so far")


def main(args: argparse.Namespace) -> int:
    spec, stages = registry.get(args.model), stages_of(args)
    try:
        if args.distribute:
            distribution.start()
    except ValueError as error:
        print(error)
        return 2
    keras.utils.set_random_seed(stages[0].seed)
    keras.config.set_dtype_policy(args.policy or POLICIES.get(spec.name) or fastest_policy())
    subsets = {
        name: load_subset(args.data, name, spec.input_shape[0], args.assets, args.patients)
        for name in TRAINING_SUBSETS
    }
    model = weights.build(spec.name)
    try:
        source = (
            "none" if args.start else args.encoder or pretrained.DEFAULTS.get(spec.name, "none")
        )
        encoder = pretrained.start_encoder(model, source, args.assets)
    except (pretrained.NoSource, WeightsError) as error:
        print(error)
        return 2
    # Read now, since the output may overwrite the initial weights.
    origin = {
        "started_from_sha256": sha256_of(args.start),
        "earlier_runs": earlier_runs(args.start),
        **({"encoder": encoder} if encoder else {}),
    }
    if args.start:
        weights.load_into(model, args.start)
    folder = args.runs / run_name(spec.name, stages, subsets, origin, split_sha256(args.assets))
    trained, loss = model, losses.bce_dice
    if spec.task == "classify":
        trained = with_localizer(model)
        loss = {"verdict": losses.bce, "where": losses.bce_dice}

    def validate() -> float:
        score = mean_dice if spec.task == "segment" else classifier_score
        return score(distribution.local_copy(model), subsets["validation"])

    training = subsets["train"]
    if spec.name in CHOSEN_IN_FOLDS:
        # The only validation is that after the last epoch, so the final weights are kept.
        training, validate = join(subsets.values()), lambda: 0.0

    print(
        f"{spec.title}: {model.count_params():,} parameters, {len(training.pixels)} slices of "
        f"{len(set(training.patients))} patients, {keras.config.dtype_policy().name}",
        flush=True,
    )
    try:
        if args.publish_now:
            states = _read_stages(trained, loss, stages, folder)
        else:
            states = [
                _train(spec, trained, loss, stage, training, validate, folder / name, args)
                for name, stage in _named(stages)
            ]
    except OSError as error:  # for example a full disk, or nothing trained yet
        print(f"Stopped: {error}. The same command goes on after the last epoch that was kept.")
        return 1
    origin["earlier_runs"] += [_earlier(each, args) for each in states[:-1]]
    done = len(states) == len(stages) and all(map(finished, states))
    model, is_first = distribution.leave(model)
    if is_first:
        publish(spec, model, states[-1] | {"complete": done}, args, origin)
    return 0


def stages_of(args: argparse.Namespace) -> tuple[FitConfig, ...]:
    """Return a network's recipe, with the command line's changes in every stage; training
    that starts from given weights has only the last stage."""
    wanted = {
        key: getattr(args, key)
        for key in ("epochs", "num_slices", "learning_rate", "seed", "fade")
        if getattr(args, key) is not None
    }
    stages = RECIPES[args.model]
    return tuple(replace(stage, **wanted) for stage in (stages[-1:] if args.start else stages))


def run_name(
    name: str,
    stages: Sequence[FitConfig],
    subsets: Mapping[str, Subset],
    origin: Mapping[str, Any],
    split: str,
) -> str:
    """Return a run's folder name, unique by everything that its weights depend on.

    Args:
        name: Name of the network.
        stages: Stages of its training.
        subsets: Training and validation slices.
        origin: Origin of the initial weights.
        split: SHA-256 of the split.
    """
    key = {
        "stages": [asdict(stage) for stage in stages],
        "subsets": {subset: slices.sha256() for subset, slices in subsets.items()},
        "origin": origin,
        "split": split,
        "policy": keras.config.dtype_policy().name,
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
    return f"{name}-{digest[:8]}"


def _named(stages: Sequence[FitConfig]) -> list[tuple[str, FitConfig]]:
    return [(f"stage-{number}", stage) for number, stage in enumerate(stages, start=1)]


def _train(
    spec: registry.ModelSpec,
    model: keras.Model,
    loss,
    stage: FitConfig,
    training: Subset,
    validate: Callable[[], float],
    folder: Path,
    args: argparse.Namespace,
) -> dict:
    """Train one stage from the weights of ``model``, or resume it, and return its state."""
    keras.utils.set_random_seed(stage.seed)
    return fit(
        model,
        loss,
        lambda epoch: Epoch.of(training, stage, epoch, verdict=spec.task == "classify"),
        lambda _: validate(),
        stage,
        folder,
        say=lambda line: print(line, flush=True),
        callbacks=[keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False)]
        if args.tensorboard
        else [],
    )


def _read_stages(model: keras.Model, loss, stages: Sequence[FitConfig], folder: Path) -> list[dict]:
    """Load the best weights of the last stage begun into ``model``, and return the stages' states."""
    begun = [(name, each) for name, each in _named(stages) if (folder / name / "best.npz").exists()]
    if not begun:
        raise FileNotFoundError(f"There is nothing trained in {folder.name}")
    name, stage = begun[-1]
    compile_model(model, loss, stage, 1)
    load_checkpoint(folder / name / "best.npz", model)
    return [read_state(folder / each / "checkpoint.npz") for each, _ in begun]


def _earlier(state: dict, args: argparse.Namespace) -> dict:
    """Return a stage's entry in the form of `earlier_runs`; its weights have no file of their own."""
    return {
        "sha256": None,
        "epochs": state["epochs"],
        "training_seconds": round(state["seconds"]),
        "config": state["config"],
        "command": command_line(args.words),
    }


def classifier_score(model: keras.Model, subset: Subset) -> float:
    """Return the mean of AUC and average precision over all slices."""
    logits = predict_logits(model, subset)[:, 0]
    return (roc_auc(logits, subset.has_tumor) + average_precision(logits, subset.has_tumor)) / 2
