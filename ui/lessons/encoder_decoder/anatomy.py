"""The U-Net as a picture of its feature maps: a click opens a block, a pixel shows its saliency."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st

from btmodels.inference import engine, introspect_tasks
from btmodels.inference.introspect_types import ActivationMaps, Saliency
from btmodels.slices import Slice
from btmodels.teaching.receptive_field import Architecture, Stage
from btmodels.transforms.preprocess import fit_to
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES, window_of
from ui.session.engine_queries import ask, ask_now
from ui.session.stack import Stack
from ui.shared.component_files import component
from ui.viewer.message import message
from ui.viewer.packing import pack

MODEL = "unet"
PAPER = Architecture("u", (16, 32, 64, 128, 256), convs=2, kernel=3, size=128)
"""The architecture of the shipped U-Net; a test compares it with the network."""

MAPS = 16
"""Number of a block's maps shown: those that vary most across the slice."""

USUAL = "enc1"

_anatomy = component("lesson_anatomy", "lessons/encoder_decoder/anatomy", *SHARED_STYLES)

_sight = component("lesson_sight", "lessons/encoder_decoder/saliency_event")


def blocks() -> list[Stage]:
    """Return the stages of the U-Net in forward order, the output last."""
    return list(PAPER.stages)


def layer_of(stage: Stage) -> str:
    """Return the output layer of a stage."""
    return stage.name if stage.name == "logits" else f"{stage.name}_relu{PAPER.convs}"


@st.fragment
def draw(lesson: Lesson, stack: Stack) -> None:
    """Draw the U-Net for the slice of ``stack``."""
    each = stack.slices[0]
    size = (PAPER.size, PAPER.size)

    def job() -> tuple[dict[str, Any], dict[str, bytes]]:
        layers = [layer_of(stage) for stage in blocks()]
        found = engine.get_engine().ask(
            introspect_tasks.activations, each.pixels, MODEL, layers, MAPS
        )
        # The first gradient of a process takes a second or two to compile, so it is computed ahead.
        engine.get_engine().ask(introspect_tasks.saliency, each.pixels, MODEL, 0, 0)
        parts = {maps.layer: pack(maps.maps) for maps in found}
        parts["image"] = pack(fit_to(each.pixels, size).transpose(2, 0, 1))
        return {"blocks": _described(found)}, parts

    answer = ask(("anatomy", stack.keys[0]), job)
    if answer.found is None:
        st.info(answer.message, icon=":material/hourglass_top:")
        return
    head, parts = answer.found
    start = {
        "block": lesson.choice("block", [stage.name for stage in blocks()], USUAL),
        "row": int(lesson.number("y", 0, PAPER.size - 1, -1)),
        "col": int(lesson.number("x", 0, PAPER.size - 1, -1)),
    }
    truth = each.truth
    known = {
        "version": stack.keys[0],
        "name": each.name,
        "size": PAPER.size,
        "window": window_of(each),
        "windows": _windows(),
        "start": start,
        "hasTruth": truth is not None,
    }
    more = {}
    if truth is not None:
        more["truth"] = pack(
            (fit_to(truth.astype("uint8") * 255, size) > 127).astype("uint8")[None]
        )
    result = _anatomy(
        key=lesson.key("anatomy"),
        data=message(head | known, parts | more),
        on_view_change=lambda: None,
        on_measure_change=lambda: None,
    )
    view, pixel = result.view or {}, _pixel(result.measure or {})  # from the browser, so untrusted
    if view.get("block") in {stage.name for stage in blocks()} and _pixel(view):
        row, col = _pixel(view)
        block = view["block"]
        lesson.write(block=None if block == USUAL else block, y=row, x=col)
    if pixel:
        _measure(lesson, stack, each, pixel)


def _measure(lesson: Lesson, stack: Stack, each: Slice, pixel: tuple[int, int]) -> None:
    # Sent separately, so that the maps need not be sent again.
    def job() -> Saliency:
        return engine.get_engine().ask(introspect_tasks.saliency, each.pixels, MODEL, *pixel)

    answer = ask_now(("sight", stack.keys[0], pixel), job)
    if answer.message:
        st.warning(answer.message, icon=":material/do_not_disturb_on:")
    if answer.found:
        sight = answer.found
        head = {"slice": stack.keys[0], "row": pixel[0], "col": pixel[1], "size": PAPER.size}
        head |= {"rows": sight.rows, "cols": sight.cols}
        _sight(key=lesson.key("sight"), data=message(head, {"sight": pack(sight.heatmap[None])}))


def _pixel(sent: dict[str, Any]) -> tuple[int, int] | None:
    row, col = sent.get("row"), sent.get("col")
    within = all(isinstance(each, int) and 0 <= each < PAPER.size for each in (row, col))
    return (row, col) if within else None


def _described(found: list[ActivationMaps]) -> list[dict[str, Any]]:
    described = []
    before = (PAPER.size, PAPER.channels)
    for stage, maps in zip(blocks(), found, strict=True):
        described.append(
            {
                "name": stage.name,
                "part": maps.layer,
                "rows": maps.shape[0],
                "channels": maps.shape[2],
                "chosen": maps.channels,
                "low": [float(f"{value:.3g}") for value in maps.low],
                "high": [float(f"{value:.3g}") for value in maps.high],
                "sees": stage.sees,
                "parameters": stage.parameters,
                "work": stage.multiply_adds,
                "steps": _steps(stage, before),
            }
        )
        before = (stage.size, stage.channels)
    return described


def _steps(stage: Stage, before: tuple[int, int]) -> list[str]:
    # The layers of a block with their shapes, one per line.
    size, came = before
    steps = []
    if stage.name == "logits":
        return [
            f"1 × 1 convolution: z = w · x + b, from {came} numbers a pixel to one",
            "tumor where 1 / (1 + e⁻ᶻ), the probability, reaches the threshold",
        ]
    if stage.size < size:
        steps.append(
            f"max pooling: the largest of 2 × 2, {size}² × {came} to {stage.size}² × {came}"
        )
    elif stage.size > size:
        steps.append(
            f"transposed convolution 2 × 2: {size}² × {came} to {stage.size}² × {stage.channels}"
        )
        steps.append(f"the skip joins: {stage.channels} more channels, of Down {stage.name[3:]}")
        came = 2 * stage.channels
    for _ in range(PAPER.convs):
        steps.append(
            f"3 × 3 convolution, ReLU: y = max(0, W ∗ x + b), from {came} to {stage.channels} channels"
        )
        came = stage.channels
    return steps


@lru_cache(maxsize=1)
def _windows() -> dict[str, list[tuple[int, int]]]:
    # First and last pixel in the receptive field of each unit of each stage, along one axis.
    return {
        stage.name: [PAPER.window(stage.name, unit) for unit in range(stage.size)]
        for stage in blocks()
    }
