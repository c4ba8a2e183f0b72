"""``python -m train crossval``: every patient judged once by a network that never met him or her.

The folds are those of ``assets/splits/patients.json``: five networks, each trained on the patients of four
folds and scored on the fifth. Nothing is chosen: the network at the end of training is taken, with mirrored
views averaged, threshold 0.5 and no clean-up. Writes ``assets/metrics/crossval.json`` (``--task segment``)
or ``crossval_classifier.json`` (``--task classify``) after each fold. Beside what every experiment's file
holds (`train.experiment`):

- ``task``, ``network`` (``name``, ``parameters``), ``full_recipe`` (what the site's networks get, to tell
  what a reduced run lacks: ``name``, ``size`` and ``slices`` of each) and ``folds``, each ``fold`` (from
  1), ``training_patients``, ``cpu_seconds``, ``wall_seconds``, ``curve`` (loss alone) and its own
  ``mean_dice`` or ``auc``;
- of segmenters ``patients`` (by folder, see `btmodels.metrics.score_patient`) and the headline figures with
  intervals (`train.scoring.headline`), counted at the slices' own rows and columns, and those again as
  ``whole_patient`` after a clean-up by its ``rule``;
- of classifiers ``auc``, ``auc_interval``, ``average_precision``, ``accuracy`` over all slices, and
  ``patients`` (by folder ``slices``, ``tumor_slices``, ``auc``).

The masks stay in ``runs`` for ``train associate``: ``fold-N/masks.npz`` with ``patients``, ``numbers`` and
``masks``, bits packed along the last axis.
"""

from __future__ import annotations

import argparse
from dataclasses import astuple, dataclass
from pathlib import Path

import keras
import numpy as np

from btmodels import cohort, losses, metrics
from btmodels.cleanup import RULE, drop_small_parts
from btmodels.metrics import Counts
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.ensemble import MEMBERS
from btmodels.networks.resnet import build_resnet50, with_localizer
from btmodels.networks.unet import build_unet
from btmodels.preprocess import restore
from btmodels.registry import get
from btmodels.slices import Patient
from train import experiment, pretrained
from train.choose import predict_logits, sigmoid
from train.data import Subset
from train.experiment import Budget, Material
from train.fit import RECIPES
from train.scoring import headline
from train.transfer_cells import score_verdicts

QUESTION = "How well is every patient judged by a network that never met them?"

PARTS = 4
EACH_SLICES = 12_000

SEGMENTERS = {"unet": (build_unet, 2e-3), "efficientnet_unet": (build_efficientnet_unet, 1e-3)}
"""What can be judged here, each with the peak of its learning rate."""

CLASSIFIER, CLASSIFIER_RATE = "resnet50", 1e-3


@dataclass(frozen=True)
class _Run:
    """What is the same for every fold: network, budget, slices, patients by folder, where runs lie."""

    network: str
    budget: Budget
    material: Material
    patients: dict[str, Patient]
    place: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    experiment.add_arguments(parser, EACH_SLICES)
    parser.add_argument("--task", choices=("segment", "classify"), default="segment")
    parser.add_argument("--network", choices=SEGMENTERS, default=next(iter(SEGMENTERS)))
    parser.add_argument(
        "--folds",
        nargs="+",
        type=int,
        choices=range(1, 6),
        help="these alone, so that processes can share the work",
    )


def main(args: argparse.Namespace) -> int:
    if not experiment.ready(args):
        return 2
    material = experiment.load_material(args)
    patients = {p.folder: p for p in cohort.read_cohort(args.data)}
    network = args.network if args.task == "segment" else CLASSIFIER
    rate = SEGMENTERS[network][1] if args.task == "segment" else CLASSIFIER_RATE
    budget = experiment.budget_of(args, PARTS, learning_rate=rate)
    place = place_of(args.runs, network, budget, material.synthetic)
    run = _Run(network, budget, material, patients, place)
    folds = [fold for fold in material.folds if fold][: 2 if args.quick else None]
    numbers = range(1, len(folds) + 1)
    if not set(args.folds or ()) <= set(numbers):
        print(f"There are {len(folds)} folds here.")
        return 2
    done = []
    for number in args.folds or numbers:
        judge = _segment if args.task == "segment" else _classify
        done.append(judge(run, number, folds[number - 1]))
        lacks = set(numbers) - {each["fold"] for each in done}
        body = (_segmenter if args.task == "segment" else _classifier)(network, done)
        name = "crossval" if args.task == "segment" else "crossval_classifier"
        experiment.write_json(
            args.assets / "metrics" / f"{name}.json",
            experiment.document(
                args,
                QUESTION,
                budget,
                material,
                [f"fold {each}" for each in sorted(lacks)],
                task=args.task,
                full_recipe=full_recipe(args.task),
                **body,
            ),
        )
        print(f"fold {number}: {done[-1].get('mean_dice', done[-1].get('auc'))}", flush=True)
    return 0


def place_of(runs: Path, network: str, budget: Budget, synthetic: bool) -> Path:
    """Where the runs of a network's cross-validation lie."""
    kind = "synthetic" if synthetic else "lgg"
    return runs / "experiments" / f"crossval-{network}-{kind}-{experiment.run_name(budget)}"


def full_recipe(task: str) -> list[dict]:
    """Return what the site's own networks of a task are trained on."""
    names = MEMBERS if task == "segment" else (get("default-classifier").name,)
    return [
        {
            "name": name,
            "size": get(name).input_shape[0],
            "slices": RECIPES[name].epochs * RECIPES[name].num_slices,
        }
        for name in names
    ]


def _train(
    model: keras.Model, loss, fold, budget: Budget, material: Material, folder: Path, **more
) -> dict:
    others = [f for each in material.folds for f in each if f not in set(fold)]
    keras.utils.set_random_seed(budget.seed)
    found = experiment.train_arm(
        model,
        loss,
        material.of(others),
        budget,
        folder,
        lambda _: 0.0,  # asked once, at the end, so that the end is what is kept
        validate_every=budget.parts,
        **more,
    )
    for row in found["curve"]:
        row["score"] = None
    return {
        "parameters": model.count_params(),
        "training_patients": len(others),
        "cpu_seconds": found["cpu_seconds"],
        "wall_seconds": found["wall_seconds"],
        "curve": found["curve"],
    }


def _both_views(model: keras.Model, slices: Subset) -> np.ndarray:
    plain, mirrored = (sigmoid(predict_logits(model, slices, m)[..., 0]) for m in (False, True))
    return (plain + mirrored) / 2


def _segment(run: _Run, number: int, fold: list[str]) -> dict:
    masks = run.place / f"fold-{number}" / "masks.npz"
    found = experiment.once(
        run.place / f"fold-{number}.json", lambda: _draw_masks(run, number, fold, masks)
    )
    found["cleaned"] = experiment.once(
        run.place / f"fold-{number}-cleaned.json", lambda: count_cleaned(masks, run.patients)
    )
    return found


def _draw_masks(run: _Run, number: int, fold: list[str], path: Path) -> dict:
    budget, material = run.budget, run.material
    keras.utils.set_random_seed(budget.seed)
    model = SEGMENTERS[run.network][0]((budget.size, budget.size, 3), name=run.network)
    pretrained.start_encoder(model, pretrained.DEFAULTS.get(run.network, "none"))
    found = _train(model, losses.bce_dice, fold, budget, material, path.parent)
    slices = material.of(fold)
    probability = _both_views(model, slices)
    counts: dict[str, list[list[int]]] = {}
    masks = []
    for map_, folder_name, slice_number in zip(
        probability, slices.patients, slices.numbers, strict=True
    ):
        patient = run.patients[str(folder_name)]
        file = next(f for f in patient.files if f.number == slice_number)
        truth = cohort.read_slice(patient, file).truth
        mask = restore(map_, *truth.shape) >= 0.5
        each = metrics.count(mask, truth)
        counts.setdefault(str(folder_name), []).append([each.tp, each.fp, each.fn, each.tn])
        masks.append(mask)
    np.savez_compressed(
        path,
        patients=np.array(slices.patients),
        numbers=np.array(slices.numbers),
        masks=np.packbits(np.stack(masks), axis=-1),
    )
    volumetric = (metrics.dice(metrics.total(Counts(*c) for c in e)) for e in counts.values())
    return {"fold": number, **found, "mean_dice": metrics.mean_of(volumetric), "counts": counts}


def read_masks(path: Path) -> dict[str, dict[int, np.ndarray]]:
    """Read the masks of a fold: by patient and slice number, bool, (rows, cols)."""
    found: dict[str, dict[int, np.ndarray]] = {}
    with np.load(path, allow_pickle=False) as kept:
        masks = np.unpackbits(kept["masks"], axis=-1).astype(bool)
        for name, number, mask in zip(kept["patients"], kept["numbers"], masks, strict=True):
            found.setdefault(str(name), {})[int(number)] = mask
    return found


def count_cleaned(path: Path, patients: dict[str, Patient]) -> dict[str, list[list[int]]]:
    """Count a fold's masks again after the clean-up across a whole patient (`btmodels.cleanup`).

    Args:
        path: Of the fold's masks.
        patients: By folder.

    Returns:
        By folder tp, fp, fn and tn of each slice, in the order of the stack.
    """
    found = {}
    for folder, masks in read_masks(path).items():
        numbers = sorted(masks)
        files = {file.number: file for file in patients[folder].files}
        cleaned = drop_small_parts([masks[number] for number in numbers])
        found[folder] = [
            list(astuple(metrics.count(mask, cohort.read_slice(patients[folder], files[n]).truth)))
            for n, mask in zip(numbers, cleaned, strict=True)
        ]
    return found


def _segmenter(network: str, folds: list[dict]) -> dict:
    counted, cleaned = (
        {
            folder: [Counts(*each) for each in counts]
            for fold in folds
            for folder, counts in fold[key].items()
        }
        for key in ("counts", "cleaned")
    )
    return {
        "network": {"name": network, "parameters": folds[0]["parameters"]},
        **headline(list(counted.values())),
        "whole_patient": {"rule": RULE, **headline(list(cleaned.values()))},
        "patients": {folder: metrics.score_patient(each) for folder, each in counted.items()},
        "folds": [
            {k: v for k, v in fold.items() if k not in ("counts", "cleaned")} for fold in folds
        ],
    }


def _classify(run: _Run, number: int, fold: list[str]) -> dict:
    return experiment.once(
        run.place / f"fold-{number}.json", lambda: _give_verdicts(run, number, fold)
    )


def _give_verdicts(run: _Run, number: int, fold: list[str]) -> dict:
    budget, material, folder = run.budget, run.material, run.place / f"fold-{number}"
    keras.utils.set_random_seed(budget.seed)
    model = build_resnet50((budget.size, budget.size, 3))
    loss = {"verdict": losses.bce, "where": losses.bce_dice}
    found = _train(
        with_localizer(model), loss, fold, budget, material, folder, kind=experiment.TwoTargets
    )
    slices = material.of(fold)
    plain, mirrored = (sigmoid(predict_logits(model, slices, m)[:, 0]) for m in (False, True))
    probability = (plain + mirrored) / 2
    return {
        "fold": number,
        **found,
        "auc": metrics.roc_auc(probability, slices.has_tumor),
        "slices": [
            [str(name), round(float(p), 6), int(t)]
            for name, p, t in zip(slices.patients, probability, slices.has_tumor, strict=True)
        ],
    }


def _classifier(network: str, folds: list[dict]) -> dict:
    rows = [row for fold in folds for row in fold["slices"]]
    names = tuple(row[0] for row in rows)
    probability = np.array([row[1] for row in rows])
    tumor = np.array([bool(row[2]) for row in rows])
    masks = np.where(tumor, 255, 0).astype(np.uint8)[:, None, None]
    everything = Subset(np.zeros((len(rows), 1, 1, 3), np.uint8), masks, names)
    patients = {}
    for name in dict.fromkeys(names):
        own = np.array(names) == name
        patients[name] = {
            "slices": int(own.sum()),
            "tumor_slices": int(tumor[own].sum()),
            "auc": metrics.roc_auc(probability[own], tumor[own]),
        }
    return {
        "network": {"name": network, "parameters": folds[0]["parameters"]},
        **score_verdicts(probability, everything),
        "patients": patients,
        "folds": [{k: v for k, v in fold.items() if k != "slices"} for fold in folds],
    }
