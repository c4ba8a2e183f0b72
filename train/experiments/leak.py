"""``python -m train leak``: how much scores rise when slices of one head are in training and test.

All patients are put at random into as many groups as there are draws. In each draw one group tests: a
quarter of each patient's slices, drawn at random. The same network is trained twice on the same budget and
on the same number of slices: once on slices of the other groups alone (patients split), and once with the
remaining slices of the patients who test among them (slices split), as several published figures were
made. Both networks are scored on the very same slices, so that patients can be compared one by one, and
both keep the state that was best on the same validation patients, a tenth of the other groups.

Writes ``assets/metrics/leak.json``, or ``leak_synthetic.json`` for made-up patients, whose slices may be
shown. Nothing that is trained here is ever used elsewhere, for it has met test patients. Beside what every
experiment's file holds (`train.experiments.common`):

- ``network``: ``name``, ``filters``, ``parameters``.
- ``arms``: ``slices`` (the leak) and ``patients``, each ``key``, ``title``, ``score`` over the test slices
  of all draws at threshold 0.5 (``mean_dice`` with ``mean_dice_interval`` and ``median_dice`` over
  patients, ``patients`` by folder: the Dice of a patient's test slices together), ``test_patients``,
  ``shared_patients`` (folders of patients on both sides), ``draws`` (of each ``curve`` and times,
  ``mean_dice``, and ``sizes``: slices of ``train``, ``validation``, ``test``) and ``nearest``:
  - ``same_patient``: share of test slices whose nearest training slice is of the same patient, 0 to 1.
  - ``median_distance``, and for comparison ``neighbor_distance``: the same between consecutive slices of
    one head.
  - ``slices``: one row per test slice, farthest last: ``patient``, ``number``, ``nearest_patient``,
    ``nearest_number``, ``distance``, and ``dice`` of the network's mask (null where both are empty).
- ``distance``: the distance measure, in words.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from btmodels.metrics import overlap
from btmodels.metrics.bootstrap import bootstrap_interval
from btmodels.teaching.slice_similarity import SIZE as NEAREST_SIZE
from btmodels.teaching.slice_similarity import distances, vectors
from btmodels.training import losses
from btmodels.transforms.postprocess import sigmoid
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.slices import load_dataset
from train.fit.select import predict_logits
from train.fit.subset import Subset

QUESTION = "How much better does a network seem when its test slices have neighbors in training?"

DRAWS = 3
"""Groups of patients, each of which tests once."""

TESTED, VALIDATED = 0.25, 0.1
"""Shares: of a test patient's slices those that test, and of the other patients those that validate."""

TITLES = {"slices": "Slices split at random", "patients": "Patients split"}

SIZE = 64
PARTS = 4
EACH_SLICES = 8000

DISTANCE = (
    "Root of the mean squared difference of two slices, all three channels, each brought to "
    f"{NEAREST_SIZE} x {NEAREST_SIZE} pixels and standardized over the head: 0 for the same slice."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, SIZE, batch_size=16)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    dataset = load_dataset(args)
    budget = common.budget_of(args, PARTS)
    name = "leak_synthetic" if dataset.synthetic else "leak"
    parent = args.runs / "experiments" / f"{name}-{common.run_name(budget, dataset)}"
    divisions = list(divide(dataset.slices, budget.seed, 2 if args.quick else DRAWS))
    arms = [
        _arm(
            key,
            [
                run(each, key, budget, parent / f"{key}-{number}")
                for number, each in enumerate(divisions)
            ],
        )
        for key in TITLES
    ]
    common.write(
        args,
        name,
        QUESTION,
        budget,
        dataset,
        network=common.describe_small_unet(budget, arms[0]["draws"][0]["parameters"]),
        distance=DISTANCE,
        arms=arms,
    )
    for arm in arms:
        print(
            f"{arm['title']}: mean Dice {arm['score']['mean_dice']}, "
            f"{len(arm['shared_patients'])} patients on both sides"
        )
    return 0


@dataclass(frozen=True, eq=False)
class Division:
    """One draw.

    Attributes:
        slices: Training slices where slices are split: some are of the patients who test.
        patients: As many where patients are split: none is of those.
        validation, test: The same for both.
    """

    slices: Subset
    patients: Subset
    validation: Subset
    test: Subset


def divide(slices: Subset, seed: int, draws: int = DRAWS) -> Iterator[Division]:
    """Divide slices in two ways, once a draw; each patient tests in one draw.

    Args:
        slices: Of all patients.
        seed: Of what is drawn.
        draws: Number of groups.
    """
    random = np.random.default_rng(seed)
    names = np.array(slices.patients)
    order = random.permutation(np.unique(names))
    for group in np.array_split(order, draws):
        others = random.permutation(np.setdiff1d(order, group))
        validating = others[: max(round(VALIDATED * len(others)), 1)]
        tested = np.zeros(len(names), bool)
        for folder in group:
            own = random.permutation(np.flatnonzero(names == folder))
            tested[own[: max(round(TESTED * len(own)), 1)]] = True
        unrelated = np.flatnonzero(np.isin(names, np.setdiff1d(others, validating)))
        # Each slice of a patient who tests takes the place of one of another patient.
        known = np.flatnonzero(np.isin(names, group) & ~tested)[: len(unrelated)]
        kept = random.permutation(unrelated)[len(known) :]
        yield Division(
            slices.take(np.sort(np.concatenate([kept, known]))),
            slices.take(unrelated),
            slices.take(np.isin(names, validating)),
            slices.take(tested),
        )


def run(parts: Division, key: str, budget: Budget, folder: Path) -> dict:
    """Train on one draw in one way and test, or take what a finished run left."""
    training: Subset = getattr(parts, key)
    validation, test = parts.validation, parts.test

    def make() -> dict:
        keras.utils.set_random_seed(budget.seed)
        model = common.build_small_unet(budget)
        found = common.train_arm(
            model, losses.bce_dice, training, budget, folder, scores.segmenter_score(validation)
        )
        masks = sigmoid(predict_logits(model, test)[..., 0]) >= 0.5
        counted = overlap.count_by_patient(masks, test.masks > 127, test.patients)
        return {
            **found,
            "patients": overlap.patient_dice(counted),
            "sizes": {
                "train": len(training.pixels),
                "validation": len(validation.pixels),
                "test": len(test.pixels),
            },
            "shared_patients": sorted(map(str, set(test.patients) & set(training.patients))),
            "nearest": nearest(training, test, masks),
        }

    return common.once(folder / "result.json", make)


def _arm(key: str, draws: list[dict]) -> dict:
    """Put the draws of one way together: each patient tested in one of them."""
    of_draws = [each.pop("patients") for each in draws]
    for each, tested in zip(draws, of_draws, strict=True):
        each["mean_dice"] = overlap.mean_of(tested.values())
    patients = {folder: dice for tested in of_draws for folder, dice in tested.items()}
    found = [each.pop("nearest") for each in draws]
    rows = sorted(
        (row for each in found for row in each["slices"]), key=lambda row: row["distance"]
    )
    between = [each["neighbor_distance"] for each in found if each["neighbor_distance"] is not None]
    return {
        "key": key,
        "title": TITLES[key],
        "score": {
            "mean_dice": overlap.mean_of(patients.values()),
            "mean_dice_interval": bootstrap_interval(list(patients.values())),
            "median_dice": overlap.median_of(patients.values()),
            "patients": patients,
        },
        "test_patients": len(patients),
        "shared_patients": sorted(name for each in draws for name in each.pop("shared_patients")),
        "draws": draws,
        "nearest": {
            "same_patient": float(
                np.mean([row["patient"] == row["nearest_patient"] for row in rows])
            ),
            "median_distance": float(np.median([row["distance"] for row in rows])),
            "neighbor_distance": float(np.mean(between)) if between else None,
            "slices": rows,
        },
    }


def nearest(training: Subset, test: Subset, masks: np.ndarray) -> dict:
    """Find the nearest training slice of each test slice.

    Args:
        training, test: Slices.
        masks: The network's masks of the test slices, bool, (n, rows, cols).

    Returns:
        ``slices`` and ``neighbor_distance`` of the file's ``nearest`` entry.
    """
    size = min(NEAREST_SIZE, training.pixels.shape[1])
    known, asked = (vectors(part.pixels, size) for part in (training, test))
    apart = distances(asked, known)
    rows = [
        {
            "patient": str(test.patients[index]),
            "number": int(test.numbers[index]),
            "nearest_patient": str(training.patients[best]),
            "nearest_number": int(training.numbers[best]),
            "distance": round(float(apart[index, best]), 4),
            "dice": overlap.dice(overlap.count(masks[index], test.masks[index] > 127)),
        }
        for index, best in enumerate(apart.argmin(axis=1))
    ]
    return {"neighbor_distance": _neighbor_distance(training, known), "slices": rows}


def _neighbor_distance(slices: Subset, vectors: np.ndarray) -> float | None:
    """Return the median distance between consecutive slices of one head."""
    places = {key: i for i, key in enumerate(zip(slices.patients, slices.numbers, strict=True))}
    pairs = [
        (index, places[patient, number + 1])
        for (patient, number), index in places.items()
        if (patient, number + 1) in places
    ]
    if not pairs:
        return None
    return float(np.median([np.sqrt(np.mean((vectors[a] - vectors[b]) ** 2)) for a, b in pairs]))
