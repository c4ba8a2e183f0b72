"""``python -m train crossval``: score every patient once, by a network not trained on that patient.

The folds are those of ``assets/splits/patients.json``: five networks, each trained on the patients of four
folds and scored on the fifth. No setting is chosen: the final weights are used, with mirrored views
averaged, threshold 0.5 and no clean-up.

``--network`` is a segmenter, or the ensemble, which is not trained: each fold's
members are combined as in `train combine`, once their own cross-validations exist. Writes
``assets/metrics/crossval_NETWORK.json``. In addition to the common fields of experiments
(`train.experiments.common`):

- ``task``, ``run`` (folder below ``runs/experiments``), ``network`` (``name``, ``parameters``),
  ``full_recipe`` (the training of the site's network or its members, for comparison with a reduced run:
  ``name``, ``size`` and ``slices`` of each) and ``folds``, each with ``fold`` (from 1),
  ``training_patients``, ``cpu_seconds``, ``wall_seconds``, ``curve`` (loss alone; none for the ensemble)
  and its own ``mean_dice`` or ``auc``;
- for segmenters ``patients`` (by folder, see `btmodels.metrics.overlap.score_patient`) and the headline
  figures with intervals (`train.evaluate.scoring.headline`), counted at the slices' own rows and columns,
  and again as ``whole_patient`` after a clean-up by its ``rule``;
- for segmenters ``chosen_cut``: the headline figures if each fold's maps are cut at the best probability
  for the other folds' patients, ``by_fold``; and ``cuts``: over ``patients`` (their number, no test
  patients) ``mean_dice`` and ``false_alarm_rate`` at each ``probability``, from which
  `train.fit.select` chooses among thresholds that the validation patients cannot distinguish;
- ``slice_scores``: by folder its ``fold`` and each slice's tumor score (for segmenters the mean log-odds
  of its highest pixels, for classifiers the log-odds of the probability), for `train detect`;
- for segmenters ``settings``: a record's settings, chosen on the same patients (`train.fit.select`), for
  networks that `train fit` trains on all but the test patients; null where there are none;
- for segmenters ``comparisons``: by the name of every other segmenter scored in the same folds, the
  result of `train.experiments.pairs.compare`;
- for the ensemble ``members``, each with ``name``, ``command``, ``budget`` (the document's own is null)
  and its headline figures;
- for classifiers ``auc``, ``auc_interval``, ``average_precision``, ``accuracy`` over all slices, and
  ``patients`` (by folder ``slices``, ``tumor_slices``, ``auc``).

``resunet_distilled`` is the ResUNet as the student of earlier runs, its ``--teachers``
(`train.fit.distill`): in each fold it continues the first teacher's training, with masks softened
by all of them. Its document names them in ``teachers``.

Maps and masks stay in ``runs`` (`train.experiments.folds`). The counts of a finished fold go into
``assets/metrics/folds``, so that another machine can continue with the rest.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from btmodels.dataset import cohort
from btmodels.metrics import classification
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.ensemble import MEMBERS, build_ensemble
from btmodels.networks.resnet import build_resnet50, with_localizer
from btmodels.networks.resunet import build_resunet
from btmodels.networks.resunet_small import build_resunet_small
from btmodels.networks.unet import build_unet
from btmodels.registry import get
from btmodels.slices import Patient
from btmodels.training import losses
from btmodels.training.fitting import read_weights
from train import cluster, provenance
from train.experiments import common, folds
from train.experiments.common import Budget
from train.experiments.fold_counts import FoldCounts, count_fold, keep_counts, read_counts
from train.experiments.pairs import compare
from train.experiments.scores import score_verdicts
from train.experiments.slices import Dataset, load_dataset
from train.fit import pretrained
from train.fit.data import Epoch
from train.fit.distill import soften
from train.fit.recipes import CANDIDATES, RECIPES
from train.fit.subset import Subset

QUESTION = "How well is every patient judged by a network that never met them?"

PARTS = 4
EACH_SLICES = 12_000

SEGMENTERS = {
    "unet": build_unet,
    "efficientnet_unet": build_efficientnet_unet,
    "resunet_small": build_resunet_small,
    "resunet": build_resunet,
    "efficientnet_plain": partial(build_resunet, decoder="plain"),
    "resunet_distilled": build_resunet,
}
ENSEMBLE, CLASSIFIER, STUDENT = "ensemble", "resnet50", "resunet_distilled"

FACTS = ("fold", "parameters", "training_patients", "cpu_seconds", "wall_seconds", "curve")

ADVICE = f"Run train crossval with --network {' and '.join(MEMBERS)} first."

QUICK_ENSEMBLE = 128
"""Rows and columns; the members cannot downsample fewer."""


@dataclass(frozen=True, eq=False)
class _Run:
    """The inputs that all folds share.

    Attributes:
        network: Registry name.
        budget: Training budget; None for the ensemble.
        members: The documents of the ensemble's members; empty for other networks.
        teachers: Runs of the student's teachers; empty for other networks.
        dataset: All slices.
        patients: Patients by folder.
        place: Parent folder of the folds' folders.
        kept: Folder of the finished folds' files.
    """

    network: str
    budget: Budget | None
    members: tuple[dict, ...]
    teachers: tuple[str, ...]
    dataset: Dataset
    patients: dict[str, Patient]
    place: Path
    kept: Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES)
    parser.add_argument("--task", choices=("segment", "classify"), default="segment")
    parser.add_argument(
        "--network",
        choices=(*SEGMENTERS, ENSEMBLE),
        default=get("default").name,
        help="of --task segment; default: the site's; the ensemble needs its members' runs",
    )
    parser.add_argument(
        "--teachers",
        nargs="+",
        default=[],
        metavar="RUN",
        help=f"of {STUDENT}: folders below runs/experiments with ResUNets of the same folds, or "
        "beginnings of their names",
    )
    parser.add_argument(
        "--folds",
        nargs="+",
        type=int,
        choices=range(1, 6),
        help="these alone, so that processes can share the work",
    )
    cluster.add_argument(parser)


class MissingRunError(Exception):
    """The ensemble cannot be combined, or the student not taught; the message says why."""


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    try:
        if args.ray and not cluster.run_folds(main, args, args.folds or common.fold_numbers(args)):
            return 1
        return _evaluate_folds(args)
    except MissingRunError as error:
        print(error)
        return 1


def _evaluate_folds(args: argparse.Namespace) -> int:
    network = args.network if args.task == "segment" else CLASSIFIER
    run = _begin(args, network)
    held_out = run.dataset.held_out(args.quick)
    numbers = range(1, len(held_out) + 1)
    if not set(args.folds or ()) <= set(numbers):
        print(f"There are {len(held_out)} folds here.")
        return 2
    evaluate = {CLASSIFIER: _give_verdicts, ENSEMBLE: _join_members}.get(network, _segment)
    # Folds finished by other processes count too, so that the last process writes all of them.
    wanted = {*(args.folds or numbers), *(n for n in numbers if _is_finished(run, n))}
    done = [_read_fold(run, n) or evaluate(run, n, held_out[n - 1]) for n in sorted(wanted)]
    lacks = set(numbers) - {_facts(each)["fold"] for each in done}
    document = common.document(
        args,
        QUESTION,
        run.budget,
        run.dataset,
        [f"fold {each}" for each in sorted(lacks)],
        task=args.task,
        run=run.place.name,
        full_recipe=full_recipe(network),
        network={"name": network, "parameters": _facts(done[0])["parameters"]},
        **({"members": [_of_member(each) for each in run.members]} if run.members else {}),
        **({"teachers": list(run.teachers)} if run.teachers else {}),
        **(
            _sum_up_verdicts(done)
            if network == CLASSIFIER
            else folds.figures_of(done, run.dataset.choosing)
        ),
    )
    if network != CLASSIFIER:
        document["comparisons"] = _compare_with_others(args, document, run.dataset)
    provenance.write_json(args.assets / "metrics" / f"crossval_{network}.json", document)
    for fold in document["folds"]:
        print(f"fold {fold['fold']}: {fold.get('mean_dice', fold.get('auc'))}", flush=True)
    return 0


def _facts(fold: FoldCounts | dict) -> dict:
    return fold if isinstance(fold, dict) else fold.facts


def _is_finished(run: _Run, number: int) -> bool:
    facts, maps = run.place / f"fold-{number}.json", run.place / f"fold-{number}" / "maps.npz"
    if run.network == CLASSIFIER:
        return facts.exists() or _read_fold(run, number) is not None
    if _read_fold(run, number):
        return True
    return maps.exists() and (run.network == ENSEMBLE or facts.exists())


def _read_fold(run: _Run, number: int) -> FoldCounts | dict | None:
    """Return what was kept of a finished fold; None if there is nothing of this run."""
    if run.network != CLASSIFIER:
        return read_counts(_kept(run, number), run.place.name)
    found = provenance.read_json(_kept(run, number, "json")) or {}
    return found if found.get("run") == run.place.name else None


def _kept(run: _Run, number: int, ending: str = "npz") -> Path:
    # The file name holds the run's whole name, so that a longer training replaces no fold of this run.
    return run.kept / f"{run.place.name}-fold-{number}.{ending}"


def _compare_with_others(args: argparse.Namespace, own: dict, dataset: Dataset) -> dict[str, dict]:
    """Compare with every other segmenter that was cross-validated in the same folds."""
    dices = {name: scored["dice"] for name, scored in own["patients"].items()}
    found = {}
    for network in (*SEGMENTERS, ENSEMBLE):
        other = provenance.read_crossval(args.assets, network)
        if network == own["network"]["name"] or not other:
            continue
        if other["split_sha256"] == own["split_sha256"] and other["quick"] == own["quick"]:
            others = {name: scored["dice"] for name, scored in other["patients"].items()}
            found[network] = compare(dices, others, dataset.choosing)
    return found


def _begin(args: argparse.Namespace, network: str) -> _Run:
    runs = args.runs / "experiments"
    teachers = tuple(_find_run(runs, each) for each in args.teachers)
    if bool(teachers) != (network == STUDENT):
        raise MissingRunError(f"--teachers are for {STUDENT}, which needs them.")
    if network == ENSEMBLE:
        args.size = QUICK_ENSEMBLE if args.quick else get(ENSEMBLE).input_shape[0]
        members = tuple(_read_member(args, name) for name in MEMBERS)
        budget, name = None, "+".join(each["run"] for each in members)
        dataset = load_dataset(args)
    else:
        # Besides the budget, the folds train as the last stage of the network's recipe does.
        recipe, members = CANDIDATES.get(network) or RECIPES[network][-1], ()
        budget = common.budget_of(
            args,
            PARTS,
            learning_rate=recipe.learning_rate,
            fade=recipe.fade,
            ema=recipe.ema,
            augmentation=recipe.augmentation,
        )
        dataset = load_dataset(args)
        kind = "synthetic" if dataset.synthetic else "lgg"
        name = "-".join(
            (f"crossval-{network}-{kind}-{common.run_name(budget, dataset)}", *_digest(teachers))
        )
    patients = {p.folder: p for p in cohort.read_cohort(args.data)}
    place = runs / name
    kept = args.assets / "metrics" / "folds"
    return _Run(network, budget, members, teachers, dataset, patients, place, kept)


def _find_run(runs: Path, start: str) -> str:
    found = [path.name for path in runs.glob(f"{start}*")]
    if start in found or len(found) == 1:
        return start if start in found else found[0]
    raise MissingRunError(f"{len(found)} runs begin with {start}; there must be one.")


def _digest(teachers: Sequence[str]) -> list[str]:
    return [hashlib.sha256("\n".join(teachers).encode()).hexdigest()[:8]] if teachers else []


def _read_member(args: argparse.Namespace, name: str) -> dict:
    found = provenance.read_crossval(args.assets, name)
    if not found:
        raise MissingRunError(f"There is no crossval_{name}.json. {ADVICE}")
    if not found["complete"]:
        lacks = ", ".join(found["lacks"])
        raise MissingRunError(f"crossval_{name}.json lacks {lacks}. {ADVICE}")
    return found


def full_recipe(network: str) -> list[dict]:
    """Return the training of the site's network with this name, or of each member; empty for a
    candidate."""
    names = MEMBERS if network == ENSEMBLE else (network,)
    return [
        {
            "name": name,
            "size": get(name).input_shape[0],
            "slices": sum(stage.epochs * stage.num_slices for stage in RECIPES[name]),
        }
        for name in names
        if name in RECIPES
    ]


def _of_member(document: dict) -> dict:
    figures = ("mean_dice", "median_dice", "tumor_slice_dice", "false_alarm_rate")
    kept = ("command", "budget", *figures, *(f"{key}_interval" for key in figures))
    return {"name": document["network"]["name"], **{key: document[key] for key in kept}}


def train_on_others(
    budget: Budget,
    dataset: Dataset,
    model: keras.Model,
    loss,
    fold: Sequence[str],
    folder: Path,
    **more,
) -> dict:
    """Train a network on all patients outside a fold, and leave it with its final weights.

    Args:
        budget: Training budget.
        dataset: All slices.
        model: Model with its initial weights.
        loss: As for `btmodels.training.fitting.fit`.
        fold: Folders of the patients held out.
        folder: Folder of the run.
        more: As for `train.experiments.common.train_arm`.

    Returns:
        All of `FACTS` except ``fold``.
    """
    others = dataset.outside(fold)
    keras.utils.set_random_seed(budget.seed)
    found = common.train_arm(
        model,
        loss,
        dataset.of(others),
        budget,
        folder,
        lambda _: 0.0,  # called once, at the end, so the final weights are kept
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


def _segment(run: _Run, number: int, fold: list[str]) -> FoldCounts:
    place, size = run.place / f"fold-{number}", run.budget.size

    def build() -> keras.Model:
        keras.utils.set_random_seed(run.budget.seed)
        return SEGMENTERS[run.network]((size, size, 3), name=run.network)

    def train() -> dict:
        model, dataset = build(), run.dataset
        pretrained.start_encoder(model, pretrained.DEFAULTS.get(run.network, "none"))
        if run.teachers:
            teachers = [trained(run.place.parent / each / place.name) for each in run.teachers]
            model.set_weights(teachers[0].get_weights())
            dataset = replace(dataset, slices=soften(dataset.slices, teachers, fold))
        return {
            "fold": number,
            **train_on_others(run.budget, dataset, model, losses.bce_dice, fold, place),
        }

    def trained(folder: Path) -> keras.Model:
        if not (folder / "best.npz").exists():
            raise MissingRunError(f"{folder} has no trained network.")
        model = build()
        model.set_weights(read_weights(folder / "best.npz"))
        return model

    facts = common.once(run.place / f"fold-{number}.json", train)
    return _count_once(run, facts, fold, partial(trained, place))


def _join_members(run: _Run, number: int, fold: list[str]) -> FoldCounts:
    def join() -> keras.Model:
        size = run.dataset.slices.pixels.shape[1]
        model = build_ensemble((size, size, 3), name=ENSEMBLE)
        for member in run.members:
            path = run.place.parent / member["run"] / f"fold-{number}" / "best.npz"
            if not path.exists():
                raise MissingRunError(
                    f"The run {member['run']} is not in this folder of runs. {ADVICE}"
                )
            model.get_layer(member["network"]["name"]).set_weights(read_weights(path))
        return model

    parts = [next(f for f in m["folds"] if f["fold"] == number) for m in run.members]
    facts = {
        "fold": number,
        "parameters": sum(part["parameters"] for part in parts),
        "training_patients": parts[0]["training_patients"],
        **{k: sum(part[k] for part in parts) for k in ("cpu_seconds", "wall_seconds")},
    }
    return _count_once(run, facts, fold, join)


def _count_once(
    run: _Run, facts: dict, fold: list[str], trained: Callable[[], keras.Model]
) -> FoldCounts:
    place = run.place / f"fold-{facts['fold']}"
    if not (place / "maps.npz").exists():
        drawn = folds.draw_maps(trained(), run.dataset.of(fold), run.patients)
        folds.keep_maps(drawn, place / "maps.npz")
    maps = folds.read_maps(place / "maps.npz")
    folds.keep_masks(maps, place / "masks.npz")
    kept = {key: facts[key] for key in FACTS if key in facts}
    counts = count_fold(maps, run.place.name, kept)
    keep_counts(counts, _kept(run, facts["fold"]))
    return counts


def _give_verdicts(run: _Run, number: int, fold: list[str]) -> dict:
    def make() -> dict:
        budget, slices = run.budget, run.dataset.of(fold)
        keras.utils.set_random_seed(budget.seed)
        model = build_resnet50((budget.size, budget.size, 3))
        loss = {"verdict": losses.bce, "where": losses.bce_dice}
        folder = run.place / f"fold-{number}"
        two_targets = partial(Epoch.of, verdict=True)
        found = train_on_others(
            budget, run.dataset, with_localizer(model), loss, fold, folder, epoch_of=two_targets
        )
        probability = folds.both_views(model, slices)
        return {
            "fold": number,
            **found,
            "auc": classification.roc_auc(probability, slices.has_tumor),
            "slices": verdict_rows(slices, np.round(probability.astype(float), 6)),
        }

    found = {**common.once(run.place / f"fold-{number}.json", make), "run": run.place.name}
    provenance.write_json(_kept(run, number, "json"), found, indent=None)
    return found


def verdict_rows(slices: Subset, probability: np.ndarray) -> list[list]:
    """Return of each slice folder, probability, whether it shows a tumor (0 or 1), and number."""
    columns = zip(slices.patients, probability, slices.has_tumor, slices.numbers, strict=True)
    return [[str(name), float(p), int(tumor), int(number)] for name, p, tumor, number in columns]


def _sum_up_verdicts(done: list[dict]) -> dict:
    rows = [row for fold in done for row in fold["slices"]]
    names = tuple(row[0] for row in rows)
    probability = np.array([row[1] for row in rows])
    tumor = np.array([bool(row[2]) for row in rows])
    patients = {}
    for name in dict.fromkeys(names):
        own = np.array(names) == name
        patients[name] = {
            "slices": int(own.sum()),
            "tumor_slices": int(tumor[own].sum()),
            "auc": classification.roc_auc(probability[own], tumor[own]),
        }
    return {
        **score_verdicts(probability, tumor, names),
        "slice_scores": slice_scores({fold["fold"]: fold["slices"] for fold in done}),
        "patients": patients,
        "folds": [{k: v for k, v in fold.items() if k not in ("slices", "run")} for fold in done],
    }


def slice_scores(by_fold: Mapping[int, Sequence[Sequence]]) -> dict[str, dict[str, Any]]:
    """Return ``slice_scores`` of a classifier's document (see the module docstring).

    Args:
        by_fold: By number of the fold its slices, each a row of `verdict_rows`.
    """
    found: dict[str, dict[str, Any]] = {}
    for fold, rows in by_fold.items():
        for name, probability, tumor, number in sorted(rows, key=lambda row: (row[0], row[3])):
            within = min(max(probability, 1e-6), 1 - 1e-6)
            own = found.setdefault(name, {"fold": fold, "numbers": [], "tumor": [], "log_odds": []})
            own["numbers"].append(number)
            own["tumor"].append(int(tumor))
            own["log_odds"].append(round(math.log(within / (1 - within)), 4))
    return found
