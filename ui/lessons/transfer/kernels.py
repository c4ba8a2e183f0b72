"""Kernels of a first layer, before and after training, and each kernel's map of the slice."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from btmodels.errors import WeightsError
from btmodels.teaching.first_kernels import first_kernels
from btmodels.transforms.preprocess import standardize
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES, slice_message, step_of
from ui.results import transfer_figures as figures
from ui.session.stack import Analyzed, Stack
from ui.shared.component_files import component, view_of

NETWORK = "vgg16_unet"
"""The site's own network whose encoder was transferred from photographs."""

SEED = 0
"""Seed of the random kernels."""

_kernels = component("lesson_kernels", "lessons/transfer/kernels", *SHARED_STYLES)


@dataclass(frozen=True, eq=False)
class KernelSet:
    """Kernels of one first layer.

    Attributes:
        key: Name in the address.
        title: Label of its button.
        words: Origin of the kernels, one sentence.
        values: float32, (rows, cols, 3, kernels).
        stride: Stride of the layer.
    """

    key: str
    title: str
    words: str
    values: np.ndarray
    stride: int = 1


@st.fragment
def draw(lesson: Lesson, stack: Stack, cells: list[dict[str, Any]]) -> None:
    """Draw the available kernels, and the map of the chosen one.

    Args:
        lesson: The lesson being drawn.
        stack: A stack of one slice.
        cells: Cells of the experiment.
    """
    sets = kernel_sets(cells)
    keys = [each.key for each in sets]
    start = {
        "set": lesson.choice("set", keys, keys[-1]),
        "kernel": round(lesson.number("kernel", 1, 64, 1)) - 1,
    }
    each = stack.slices[0]
    step = step_of(each)
    nothing = Analyzed(stack, (None,), "", False, None, 0)
    data = slice_message(
        nothing,
        {one.key: one.values.astype("<f4").tobytes() for one in sets},
        version=f"{stack.keys[0]} {' '.join(keys)}",
        tables=tables(each.pixels[::step, ::step]),
        start=start,
        sets=[
            {
                "key": one.key,
                "title": one.title,
                "words": one.words,
                "size": one.values.shape[0],
                "number": one.values.shape[-1],
                "stride": one.stride,
            }
            for one in sets
        ],
    )
    sent = view_of(_kernels, lesson.key("kernels"), data)
    if sent.get("set") in keys and isinstance(sent.get("kernel"), int):
        if 0 <= sent["kernel"] < 64:
            lesson.write(set=sent["set"], kernel=sent["kernel"] + 1)


def kernel_sets(cells: list[dict[str, Any]]) -> list[KernelSet]:
    """Return the available kernels: random ones, those of the experiment, and this site's network's.

    Args:
        cells: Cells of the experiment; may be empty.
    """
    sets = [
        KernelSet(
            "chance",
            "drawn at random",
            "How a network begins from scratch: every weight is drawn at random.",
            chance((3, 3, 3, 64)),
        )
    ]
    whole = {cell["arm"]: cell for cell in figures.pick(cells, "vgg16", "segment")}
    for key, arm, when, title, words in (
        (
            "photographs",
            "staged",
            "before",
            "before: from photographs",
            "As they came: trained on photographs, then on edges.",
        ),
        (
            "unfrozen",
            "staged",
            "after",
            "after, unfrozen",
            "The same after training on slices, unfrozen after a quarter.",
        ),
        (
            "scratch",
            "scratch",
            "after",
            "after, from scratch",
            "Begun at random, then trained on slices.",
        ),
    ):
        if arm in whole:
            kernels = whole[arm]["kernels"]
            moved = (
                f" They moved by {100 * kernels['moved']:.0f}% of their size."
                if when == "after"
                else ""
            )
            sets.append(KernelSet(key, title, words + moved, unpacked(kernels[when])))
    try:
        sets.append(
            KernelSet(
                "site",
                "this site's VGG16 U-Net",
                "Trained on photographs, then on edges, then on slices of patients.",
                first_kernels(NETWORK),
            )
        )
    except WeightsError:
        pass  # the status names the problem with the weights
    return sets


def chance(shape: tuple[int, int, int, int]) -> np.ndarray:
    """Draw random kernels by He initialization: a normal distribution truncated at two deviations.

    Args:
        shape: (rows, cols, 3, kernels).
    """
    generator = np.random.default_rng(SEED)
    values = generator.normal(size=shape)
    while (far := np.abs(values) > 2).any():
        values[far] = generator.normal(size=int(far.sum()))
    # The deviation of a normal distribution truncated at 2 is 0.87962566.
    deviation = np.sqrt(2 / np.prod(shape[:3])) / 0.87962566
    return (values * deviation).astype(np.float32)


def unpacked(entry: dict[str, Any]) -> np.ndarray:
    """Return kernels of the experiment's file: float32, (rows, cols, 3, kernels)."""
    raw = np.frombuffer(base64.b64decode(entry["float16"]), "<f2")
    return raw.reshape(entry["shape"]).astype(np.float32)


def tables(pixels: np.ndarray) -> list[list[float]]:
    """Return the result of `btmodels.transforms.preprocess.standardize` for each byte, by channel.

    Args:
        pixels: uint8, (rows, cols, 3). Bytes that do not occur map to 0.
    """
    values = standardize(pixels)
    made = np.zeros((3, 256), np.float32)
    for channel in range(3):
        made[channel, pixels[..., channel]] = values[..., channel]
    return [[round(float(value), 5) for value in row] for row in made]
