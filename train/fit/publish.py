"""Write trained weights to ``assets/weights`` with the record of their training."""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path

import keras

from btmodels import registry, weights
from btmodels.dataset.cohort import split_sha256
from train.fit.recipes import CHOSEN_IN_FOLDS, training_subsets
from train.fit.select import CHOOSING_SIZE, choose_for_classifier, choose_for_segmenter
from train.fit.subset import load_subset
from train.provenance import command_line, read_crossval, read_json, versions, write_json


def sha256_of(path: Path | None) -> str | None:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path else None


def earlier_runs(start: Path | None) -> list[dict]:
    """Return the training history of the weights that a run started from, from their record.

    Args:
        start: A weights file, ``NAME.weights.h5``, next to its record ``NAME.json``; or None.

    Returns:
        One entry for each earlier run, oldest first; empty without a record.
    """
    path = start and start.with_name(start.name.removesuffix(".weights.h5") + ".json")
    before = path and read_json(path)
    if not before:
        return []
    kept = ("sha256", "epochs", "training_seconds", "config", "command")
    return [*before.get("earlier_runs", []), {key: before.get(key) for key in kept}]


def out_of_fold(name: str, assets: Path) -> dict | None:
    """Return a segmenter's cross-validation (`train.experiments.crossval`); None if none was finished
    with this split."""
    found = read_crossval(assets, name)
    usable = found and found["complete"] and found["split_sha256"] == split_sha256(assets)
    return found if usable else None


def publish(
    spec: registry.ModelSpec,
    model: keras.Model,
    state: dict,
    args: argparse.Namespace,
    origin: dict,
) -> None:
    """Write float16 weights, and the record with the chosen settings.

    Args:
        spec: The network's registry entry.
        model: The trained network.
        state: State of its run, as returned by `fit`, with ``complete``.
        args: Command-line arguments.
        origin: Fields of the record on the origin of the weights.
    """
    target = registry.weights_path(spec.name, args.assets)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Choosing takes minutes, so weights and record are written elsewhere and moved into place together at
    # the end: a reader always finds a record that fits its weights.
    with tempfile.TemporaryDirectory(prefix=".", dir=target.parent) as folder:
        path = Path(folder, target.name)
        sha256 = weights.save_float16(model, path)
        # Choose with the weights as saved, in float32 as on the site.
        keras.config.set_dtype_policy("float32")
        served = weights.build(spec.name)
        weights.load_into(served, path)
        record = make_record(spec, served, sha256, state, args, origin)
        write_json(path.with_suffix(".json"), record)
        path.replace(target)
        path.with_suffix(".json").replace(registry.record_path(spec.name, args.assets))
    print(f"wrote {target.name} ({target.stat().st_size / 1e6:.1f} MB) and its record")


def make_record(
    spec: registry.ModelSpec,
    model: keras.Model,
    sha256: str,
    state: dict,
    args: argparse.Namespace,
    origin: dict,
) -> dict:
    """Return the record of weights, with settings chosen on the validation patients, or by cross-validation
    if the network was trained on them.

    Args:
        spec: The network's registry entry.
        model: The network with these weights as saved, in float32.
        sha256: SHA-256 of the weights.
        state, args, origin: As for `publish`.
    """
    validation = load_subset(args.data, "validation", CHOOSING_SIZE, args.assets, args.patients)
    folds, history = out_of_fold(spec.name, args.assets), state["history"]
    if spec.name in CHOSEN_IN_FOLDS:
        history = [row | {"score": None} for row in history]  # no patients were left to validate on
    if spec.name in CHOSEN_IN_FOLDS and folds:
        chosen = dict(folds["settings"])
    elif spec.task == "segment":
        cuts = folds["cuts"] if folds else {"rows": (), "patients": 0}
        chosen = choose_for_segmenter(model, validation, cuts["rows"])
        chosen["fold_patients"] = cuts["patients"]
    else:
        chosen = choose_for_classifier(model, validation)
    previous = read_json(registry.record_path(spec.name, args.assets)) or {}
    return {
        "name": spec.name,
        "sha256": sha256,
        **chosen,
        "split_sha256": split_sha256(args.assets),
        "training_subsets": training_subsets(spec.name),
        "complete": state["complete"],
        "test_evaluations": previous.get("test_evaluations", 0),
        "parameters": model.count_params(),
        "epochs": state["epochs"],
        "best_epoch": state["best_epoch"],
        "training_seconds": round(state["seconds"]),
        "config": state["config"],
        "history": history,
        **origin,
        "command": command_line(args.words),
        "versions": versions(),
    }
