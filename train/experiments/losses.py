"""``python -m train losses``: the same small U-Net trained with five losses.

Writes ``assets/metrics/losses.json``. Beside what every experiment's file holds
(`train.experiments.common`):

- ``network``: ``name``, ``filters``, ``parameters``.
- ``slices``: the synthetic slices that are shown, each ``patient``, ``number``, ``truth_pixels``, and
  ``image_png`` (the FLAIR channel) and ``truth_png`` (0 / 255), base64 of gray PNG files of ``size`` x
  ``size``. No picture of a patient is in the file.
- ``arms``: in order, each ``key``, ``title``, ``formula``, ``source``, ``score`` (validation patients at
  threshold 0.5, see `train.experiments.scores.score_segmenter`), ``by_threshold`` (rows of ``threshold``,
  ``mean_dice``, ``false_alarm_rate``), ``best_threshold`` (with the best mean Dice there), ``curve``
  and times (`train.experiments.common.train_arm`), and ``shown``, for each of ``slices`` in order
  ``levels_png`` (probability in 255ths, base64 of a gray PNG), ``marked_pixels`` and ``dice``
  at threshold 0.5 (null where both masks are empty).
"""

from __future__ import annotations

import argparse
import base64
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np

from btmodels import registry
from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.networks.unet import build_unet
from btmodels.slices import FLAIR
from btmodels.training import losses
from btmodels.transforms.preprocess import to_levels
from train.experiments import common, scores
from train.experiments.common import Budget
from train.experiments.slices import Material, load_material
from train.fit.data import Subset, read_subset
from train.fit.select import THRESHOLDS, predict_logits, sigmoid

QUESTION = "What does the loss that a network is trained with decide?"

ARMS: tuple[tuple[str, str, Callable, str, str], ...] = (
    (
        "bce",
        "Cross-entropy",
        losses.bce,
        "mean of -t log(p) - (1 - t) log(1 - p)",
        "Good 1952, J R Stat Soc B 14:107",
    ),
    (
        "dice",
        "Dice",
        losses.soft_dice,
        "1 - 2 sum(t p) / (sum(t) + sum(p))",
        "Milletari et al. 2016, arXiv:1606.04797",
    ),
    (
        "bce_dice",
        "Cross-entropy + Dice",
        losses.bce_dice,
        "the sum of both",
        "as this site's networks are trained",
    ),
    (
        "tversky",
        "Tversky",
        losses.tversky,
        "1 - TP / (TP + 0.7 FN + 0.3 FP) of probabilities",
        "Salehi, Erdogmus, Gholipour 2017, arXiv:1706.05721",
    ),
    (
        "focal",
        "Focal",
        losses.focal,
        "mean of -a (1 - p)^2 log(p) over what is so; a = 0.25 on tumor, 0.75 elsewhere",
        "Lin et al. 2017, arXiv:1708.02002",
    ),
)
"""Key, title, function of (truth, logits), formula in words, source."""

PARTS = 5
EACH_SLICES = 5000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_arguments(parser, EACH_SLICES, batch_size=16)


def main(args: argparse.Namespace) -> int:
    if not common.ready(args):
        return 2
    material = load_material(args)
    budget = common.budget_of(args, PARTS)
    shown = pick_slices(budget.size)
    arms = [
        {
            "key": key,
            "title": title,
            "formula": formula,
            "source": source,
            **run(key, loss, budget, material, args.runs, shown)[0],
        }
        for key, title, loss, formula, source in ARMS
    ]
    common.write_json(
        args.assets / "metrics" / "losses.json",
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
            slices=describe_slices(shown),
            arms=arms,
        ),
    )
    for arm in arms:
        print(f"{arm['title']}: mean Dice {arm['score']['mean_dice']}")
    return 0


def run(
    key: str,
    loss: Callable,
    budget: Budget,
    material: Material,
    runs: Path,
    shown: Subset,
    skips: str = "joined",
) -> tuple[dict, Callable[[], keras.Model]]:
    """Train the small U-Net in one way, or take what a finished run left.

    Returns:
        The arm's entry, and a function that builds its network with the trained weights.
    """
    keras.utils.set_random_seed(budget.seed)
    # One arm is the same run for losses and skips.
    folder = runs / "experiments" / f"small-{common.run_name(budget, material)}" / key
    weights = folder / "trained.weights.h5"

    def build() -> keras.Model:
        shape = (budget.size, budget.size, 3)
        return build_unet(shape, common.filters_of(budget), skips=skips)

    def trained() -> keras.Model:
        model = build()
        model.load_weights(weights)
        return model

    def make() -> dict:
        model, validation = build(), material.subset("validation")
        found = common.train_arm(
            model,
            loss,
            material.subset("train"),
            budget,
            folder,
            scores.segmenter_score(scores.every(validation, 3)),
        )
        model.save_weights(weights)
        return {**found, **judge(model, validation, shown)}

    return common.once(folder / "result.json", make), trained


def judge(model: keras.Model, validation: Subset, shown: Subset) -> dict:
    """Score a segmenter on validation slices and keep what it makes of the shown ones."""
    probability = sigmoid(predict_logits(model, validation)[..., 0])
    rows = []
    for threshold in (0.05, 0.1, *THRESHOLDS):
        scored = scores.score_segmenter(probability, validation, threshold)
        rows.append(
            {
                "threshold": threshold,
                "mean_dice": scored["mean_dice"],
                "false_alarm_rate": scored["false_alarm_rate"],
            }
        )
    return {
        "score": scores.score_segmenter(probability, validation),
        "by_threshold": rows,
        "best_threshold": max(rows, key=lambda row: row["mean_dice"] or 0)["threshold"],
        "shown": show(model, shown),
    }


def show(model: keras.Model, shown: Subset) -> list[dict]:
    """Return a segmenter's maps of the shown slices, with what they mark at threshold 0.5."""
    entries = []
    probability = sigmoid(predict_logits(model, shown)[..., 0])
    for map_, mask in zip(probability, shown.masks, strict=True):
        marked = map_ >= 0.5
        entries.append(
            {
                "levels_png": png(to_levels(map_)),
                "marked_pixels": int(marked.sum()),
                "dice": overlap.dice(overlap.count(marked, mask > 127)),
            }
        )
    return entries


def pick_slices(size: int) -> Subset:
    """Return slices of the bundled cohort: the one with the most lesion of the first three patients that
    have any, and one without."""
    every = read_subset(cohort.read_cohort(cohort.samples_root(registry.ASSETS)), size)
    areas = (every.masks > 127).sum(axis=(1, 2))
    names = np.array(every.patients)
    largest = [
        int(np.flatnonzero(names == name)[np.argmax(areas[names == name])])
        for name in dict.fromkeys(every.patients)
    ]
    with_lesion = [index for index in largest if areas[index]][:3]
    # The middle of a patient is the most head there is to raise a false alarm in.
    without = [index for index in largest if not areas[index]][:1]
    if without:
        of_patient = np.flatnonzero(names == names[without[0]])
        without = [int(of_patient[len(of_patient) // 2])]
    return every.take(np.array(with_lesion + without))


def describe_slices(shown: Subset) -> list[dict]:
    """Return the ``slices`` entry of the file."""
    return [
        {
            "patient": str(patient),
            "number": int(number),
            "truth_pixels": int((mask > 127).sum()),
            "image_png": png(np.ascontiguousarray(pixels[..., FLAIR])),
            "truth_png": png(((mask > 127) * 255).astype(np.uint8)),
        }
        for patient, number, pixels, mask in zip(
            shown.patients, shown.numbers, shown.pixels, shown.masks, strict=True
        )
    ]


def png(levels: np.ndarray) -> str:
    """Return a gray picture, uint8, (rows, cols), as base64 of a PNG file."""
    return base64.b64encode(cv2.imencode(".png", levels)[1].tobytes()).decode()
