"""``python -m train leak``: how much scores rise when slices of one head are in training and test.

The same network is trained twice on the same budget: once with slices split at random into 90% training,
5% validation and 5% test, as for several published figures, and once with whole patients split.
Writes ``assets/metrics/leak.json``, or ``leak_synthetic.json`` for synthetic patients, whose slices may be
shown. These networks are never used elsewhere, since they were trained on test patients. In addition to the
common fields of experiments (`train.experiments.common`):

- ``network``: ``name``, ``filters``, ``parameters``.
- ``arms``: ``slices`` (the leak) and ``patients``, each with ``key``, ``title``, ``score`` (on its own test
  slices at threshold 0.5, see `train.experiments.scores.score_segmenter`; ``mean_dice`` covers only a
  patient's slices among them), ``curve`` and times, ``sizes`` (slices of ``train``,
  ``validation``, ``test``), ``test_patients``, ``shared_patients`` (folders of patients on both sides) and
  ``nearest``:
  - ``same_patient``: share of test slices whose nearest training slice is of the same patient, 0 to 1.
  - ``median_distance``, and for comparison ``neighbor_distance``: the same between consecutive slices of
    one head.
  - ``slices``: one row per test slice, farthest last: ``patient``, ``number``, ``nearest_patient``,
    ``nearest_number``, ``distance``, and ``dice`` of the network's mask (null where both are empty).
- ``distance``: the distance measure, in words.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import keras
import numpy as np

from btmodels.metrics import overlap
from btmodels.networks.unet import build_unet
from btmodels.training import losses
from btmodels.transforms.postprocess import sigmoid
from btmodels.transforms.preprocess import normalize
from train import provenance
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.slices import Material, load_material
from train.fit.select import predict_logits
from train.fit.subset import Subset

QUESTION = "How much better does a network seem when its test slices have neighbors in training?"

SHARES = (0.9, 0.05)
"""Shares of slices for training and validation in the leaking split; the rest is the test set."""

PARTS = 8
EACH_SLICES = 8000
NEAREST_SIZE = 64

DISTANCE = (
    "Root of the mean squared difference of two slices, all three channels, each brought to "
    f"{NEAREST_SIZE} x {NEAREST_SIZE} pixels and standardized over the head: 0 for the same slice."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    material = load_material(args)
    budget = common.budget_of(args, PARTS)
    name = "leak_synthetic" if material.synthetic else "leak"
    place = args.runs / "experiments" / f"{name}-{common.run_name(budget, material)}"
    arms = [
        {"key": key, "title": title, **run(parts, budget, place / key)}
        for key, title, parts in (
            ("slices", "Slices split at random", by_slice(material, budget.seed)),
            ("patients", "Patients split", by_patient(material)),
        )
    ]
    provenance.write_json(
        args.assets / "metrics" / f"{name}.json",
        common.document(
            args,
            QUESTION,
            budget,
            material,
            network={
                "name": "unet",
                "filters": list(common.filters_of(budget)),
                "parameters": arms[0]["parameters"],
            },
            distance=DISTANCE,
            arms=arms,
        ),
    )
    for arm in arms:
        print(
            f"{arm['title']}: pooled Dice {arm['score']['pooled_dice']}, "
            f"{len(arm['shared_patients'])} patients on both sides"
        )
    return 0


def by_slice(material: Material, seed: int) -> tuple[Subset, Subset, Subset]:
    """Split all slices at random into training, validation and test: the leak."""
    number = len(material.slices.pixels)
    order = np.random.default_rng(seed).permutation(number)
    first, second = (round(number * share) for share in np.cumsum(SHARES))
    return tuple(material.slices.take(np.sort(part)) for part in np.split(order, [first, second]))


def by_patient(material: Material) -> tuple[Subset, Subset, Subset]:
    """Split by patient, as the project's split does."""
    return tuple(material.subset(name) for name in ("train", "validation", "test"))


def run(parts: Sequence[Subset], budget: Budget, folder: Path) -> dict:
    """Train and test on one split, or return the result of a finished run."""
    training, validation, test = parts

    def make() -> dict:
        keras.utils.set_random_seed(budget.seed)
        model = build_unet((budget.size, budget.size, 3), common.filters_of(budget))
        # Both arms get the same number of validation slices, so that neither chooses more carefully.
        step = max(len(validation.pixels) // 150, 1)
        found = common.train_arm(
            model,
            losses.bce_dice,
            training,
            budget,
            folder,
            _pooled_score(scores.every(validation, step)),
        )
        probability = sigmoid(predict_logits(model, test)[..., 0])
        return {
            **found,
            "score": scores.score_segmenter(probability, test),
            "sizes": {
                name: len(part.pixels)
                for name, part in zip(("train", "validation", "test"), parts, strict=True)
            },
            "test_patients": len(set(test.patients)),
            "shared_patients": sorted(
                {str(p) for p in set(test.patients) & set(training.patients)}
            ),
            "nearest": nearest(training, test, probability >= 0.5),
        }

    return common.once(folder / "result.json", make)


def _pooled_score(validation: Subset):
    def score(model: keras.Model) -> float:
        masks = predict_logits(model, validation)[..., 0] >= 0
        return overlap.dice(overlap.count(masks, validation.masks > 127)) or 0.0

    return score


def nearest(training: Subset, test: Subset, masks: np.ndarray) -> dict:
    """Find the nearest training slice of each test slice.

    Args:
        training, test: Slices.
        masks: The network's masks of the test slices, bool, (n, rows, cols).

    Returns:
        The ``nearest`` entry of the file.
    """
    known, asked = _vectors(training), _vectors(test)
    rows = []
    # |a - b|^2 as |a|^2 - 2 ab + |b|^2: a matrix product instead of a loop over pairs.
    squares = np.sum(known**2, axis=1)
    likeness = asked @ known.T
    for index, vector in enumerate(asked):
        best = int(np.argmin(squares - 2 * likeness[index]))
        apart = float(np.sqrt(np.mean((known[best] - vector) ** 2)))
        rows.append(
            {
                "patient": str(test.patients[index]),
                "number": int(test.numbers[index]),
                "nearest_patient": str(training.patients[best]),
                "nearest_number": int(training.numbers[best]),
                "distance": round(apart, 4),
                "dice": overlap.dice(overlap.count(masks[index], test.masks[index] > 127)),
            }
        )
    rows.sort(key=lambda row: row["distance"])
    same = [row["patient"] == row["nearest_patient"] for row in rows]
    return {
        "same_patient": float(np.mean(same)),
        "median_distance": float(np.median([row["distance"] for row in rows])),
        "neighbor_distance": _neighbor_distance(training, known),
        "slices": rows,
    }


def _vectors(slices: Subset) -> np.ndarray:
    size = min(NEAREST_SIZE, slices.pixels.shape[1])
    small = (
        cv2.resize(pixels, (size, size), interpolation=cv2.INTER_AREA) for pixels in slices.pixels
    )
    return np.stack([normalize(each, (size, size)).ravel() for each in small])


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
