"""The slices shown by an experiment, with the masks of each arm."""

from __future__ import annotations

import base64

import cv2
import keras
import numpy as np

from btmodels import paths
from btmodels.dataset import cohort
from btmodels.metrics import overlap
from btmodels.slices import FLAIR
from btmodels.transforms.postprocess import sigmoid
from btmodels.transforms.preprocess import quantize
from train.experiments import scores
from train.fit.select import THRESHOLDS, predict_logits
from train.fit.subset import Subset, read_subset


def evaluate(model: keras.Model, validation: Subset, shown: Subset) -> dict:
    """Score a segmenter on validation slices and return its maps of the shown slices."""
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
    """Return a segmenter's maps of the shown slices, with pixel counts and Dice at threshold 0.5."""
    entries = []
    probability = sigmoid(predict_logits(model, shown)[..., 0])
    for map_, mask in zip(probability, shown.masks, strict=True):
        marked = map_ >= 0.5
        entries.append(
            {
                "levels_png": png(quantize(map_)),
                "marked_pixels": int(marked.sum()),
                "dice": overlap.dice(overlap.count(marked, mask > 127)),
            }
        )
    return entries


def pick_slices(size: int) -> Subset:
    """Return slices of the bundled cohort: the largest lesion of each of the first three patients that
    have one, and a slice without a lesion."""
    every = read_subset(cohort.read_cohort(cohort.samples_root(paths.ASSETS)), size)
    areas = (every.masks > 127).sum(axis=(1, 2))
    names = np.array(every.patients)
    largest = [
        int(np.flatnonzero(names == name)[np.argmax(areas[names == name])])
        for name in dict.fromkeys(every.patients)
    ]
    with_lesion = [index for index in largest if areas[index]][:3]
    # The middle slice shows the most head, and so the most room for a false alarm.
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


def png(pixels: np.ndarray) -> str:
    """Return a gray picture, uint8, (rows, cols), as base64 of a PNG file."""
    return base64.b64encode(cv2.imencode(".png", pixels)[1].tobytes()).decode()
