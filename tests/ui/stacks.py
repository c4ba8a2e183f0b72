"""Small constructed stacks, analyzed as far as a test needs."""

from __future__ import annotations

import numpy as np

from btmodels.measurement import measure
from btmodels.slices import Prediction, Slice
from tests import fakes
from ui.session.stack import Analyzed, Stack


def slice_of(number: int | None, rows: int, cols: int, truth: bool = True) -> Slice:
    """A slice of one gray; its truth, if any, marks 16 pixels."""
    pixels = np.zeros((rows, cols, 3), np.uint8)
    pixels[..., 1] = 10 * (number or 5)
    mask = np.zeros((rows, cols), bool)
    mask[2:6, 4:8] = True
    return Slice(f"{number}.tif", pixels, mask if truth else None, "P", number)


def analyzed(slices: list[Slice], done: int = 0) -> Analyzed:
    """A stack of which the first ``done`` slices are segmented: level 200 everywhere."""
    analyses = [None] * len(slices)
    for i, each in enumerate(slices[:done]):
        probability_map = np.full(each.pixels.shape[:2], 200, np.uint8)
        records = fakes.record("default"), fakes.record("default-classifier")
        analyses[i] = measure.measure(
            each, Prediction(0.5, probability_map), *records, "resunet", "resnet50"
        )
    stack = Stack(
        "P",
        tuple(slices),
        tuple(f"P/{i}" for i in range(len(slices))),
        ("synthetic",) * len(slices),
        shared=True,
    )
    return Analyzed(stack, tuple(analyses), "", done < len(slices), 0.4, 4)
