"""Downsampling and upsampling on a grid of sixteen numbers: pooling, repetition, transposed convolution."""

from __future__ import annotations

import json
import zlib
from functools import lru_cache
from typing import Any

import numpy as np
import streamlit as st

from btmodels.teaching.pooling_steps import PoolingStep, max_pool, transpose_convolve, upsample
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.shared.component_files import component, view_of
from ui.viewer.message import message

INPUTS = {
    "numbers": [[1, 3, 0, 2], [2, 6, 1, 0], [0, 1, 4, 4], [5, 0, 4, 8]],
    "dot": [[0, 0, 0, 0], [0, 9, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]],
    "flat": [[1, 1, 1, 1]] * 4,
}
"""Input grids: arbitrary numbers, a single bright spot, and a constant."""

WAYS = {
    "pool": "max pooling",
    "repeat": "upsampling: repeat",
    "stamp22": "transposed, kernel 2, stride 2",
    "stamp32": "transposed, kernel 3, stride 2",
    "stamp42": "transposed, kernel 4, stride 2",
    "stamp53": "transposed, kernel 5, stride 3",
}
USUAL = "pool"

_grid = component("lesson_grid", "lessons/encoder_decoder/operations/pooling", *SHARED_STYLES)


def walk(way: str, grid: np.ndarray) -> list[PoolingStep]:
    """Return the steps of one of `WAYS` on a grid; kernels are all ones, so that overlap is visible."""
    if way == "pool":
        return max_pool(grid)
    if way == "repeat":
        return upsample(grid)
    size, stride = int(way[-2]), int(way[-1])
    return transpose_convolve(grid, np.ones((size, size)), stride)


@lru_cache(maxsize=1)
def walks() -> bytes:
    """Return all steps of all ways on all inputs as deflated JSON; unwritten cells are null."""
    found: dict[str, Any] = {
        way: {name: [_plain(step) for step in walk(way, np.array(grid, float))]
              for name, grid in INPUTS.items()}
        for way in WAYS
    }  # fmt: skip
    return zlib.compress(json.dumps({"inputs": INPUTS, "ways": WAYS, "steps": found}).encode())


@st.fragment
def draw(lesson: Lesson) -> None:
    """Draw the grid; all of its steps come from `btmodels.teaching.pooling_steps`."""
    start = {
        "way": lesson.choice("resize", list(WAYS), USUAL),
        "input": lesson.choice("grid", list(INPUTS), next(iter(INPUTS))),
    }
    data = message(start, {"walks": walks()})
    sent = view_of(_grid, lesson.key("grid"), data)
    if sent.get("way") in WAYS and sent.get("input") in INPUTS:
        first = next(iter(INPUTS))
        lesson.write(
            resize=None if sent["way"] == USUAL else sent["way"],
            grid=None if sent["input"] == first else sent["input"],
        )


def _plain(step: PoolingStep) -> dict[str, Any]:
    output = [[None if np.isnan(each) else each for each in row] for row in step.output.tolist()]
    return {"read": step.read, "written": step.written, "output": output}
