"""Lesson *Train one now*: small networks that train in the visitor's browser."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import numpy as np
import streamlit as st

from btmodels.errors import CohortError
from btmodels.paths import ASSETS
from btmodels.slices import FLAIR
from btmodels.teaching import training_slices
from btmodels.visualize.window import auto_windows
from ui.lessons.lesson import Lesson
from ui.lessons.shared.parts import SHARED_STYLES
from ui.shared.component_files import component, view_of
from ui.viewer.message import message
from ui.viewer.packing import pack

USUAL = {"rate": 0.003, "width": 8, "depth": 2, "patients": 6, "seed": 0}
"""Initial values of the controls, as in `USUAL` of ui/lessons/training/runs.js."""

BOUNDS = {
    "rate": (1e-4, 0.03),
    "width": (2, 16),
    "depth": (1, 3),
    "patients": (1, 6),
    "seed": (0, 9),
}

EXAMPLE = ASSETS / "metrics" / "training_example.json"
"""Results of one run with these values, which the lesson opens with."""

_training = component("lesson_training", "lessons/training/training", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    lesson.prose("Screen: before you start", title=False)
    try:
        head, planes = _slices()
        example, masks = read_example()
    except CohortError:
        st.info("This copy of the project has no bundled patients: restore assets/samples.")
    else:
        start = _start(lesson)
        head = head | {"start": start, "example": example}
        st.fragment(_draw)(lesson, message(head, {"planes": planes, "masks": pack(masks)}))
    lesson.tasks("training")
    lesson.prose("In words")


def _draw(lesson: Lesson, packed: bytes) -> None:
    view = view_of(_training, lesson.key("picture"), packed)
    changed = {name: view[name] for name in USUAL if view.get(name, USUAL[name]) != USUAL[name]}
    usual = {"skips": view.get("skips", True), "loss": view.get("loss", "bce_dice") == "bce_dice"}
    lesson.write(
        **{name: changed.get(name) for name in USUAL},
        skips=None if usual["skips"] else "no",
        loss=None if usual["loss"] else "bce",
    )


def _start(lesson: Lesson) -> dict[str, Any]:
    # The state in the link; the browser rounds to the nearest value of a slider.
    start: dict[str, Any] = {
        name: lesson.number(name, *BOUNDS[name], usual) for name, usual in USUAL.items()
    }
    start["skips"] = lesson.choice("skips", ("yes", "no"), "yes") == "yes"
    start["loss"] = lesson.choice("loss", ("bce", "bce_dice"), "bce_dice")
    return start


def read_example() -> tuple[dict[str, Any], np.ndarray]:
    """Read the run that the lesson opens with.

    Returns:
        ``setting``, number of ``slices``, and ``results`` with ``epoch``, ``loss`` and ``dice``, both
        None before training; and the masks on the displayed slice, uint8 (epochs, SIZE, SIZE), 0 or 255.
    """
    content = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    size = training_slices.SIZE
    packed = [base64.b64decode(each.pop("mask")) for each in content["results"]]
    bits = np.unpackbits(np.frombuffer(b"".join(packed), np.uint8)).reshape(-1, size, size)
    return {key: content[key] for key in ("setting", "slices", "results")}, 255 * bits


@st.cache_resource(show_spinner=False, max_entries=1)
def _slices() -> tuple[dict[str, Any], bytes]:
    patients = training_slices.read()
    listed = [
        {"patient": each.patient, "number": number, "heldOut": each.held_out}
        for each in patients
        for number in each.numbers
    ]
    pixels = np.concatenate([each.pixels for each in patients]).transpose(0, 3, 1, 2)
    truth = np.concatenate([each.truth for each in patients])
    planes = np.concatenate([pixels, truth[:, None]], axis=1)
    held = np.array([each["heldOut"] for each in listed])
    shown = int(np.argmax(held * (truth > 127).sum((1, 2))))
    packed = pack(planes.reshape(-1, *truth.shape[1:]))
    version = hashlib.sha256(packed).hexdigest()[:16]
    window = auto_windows([pixels[shown].transpose(1, 2, 0)])[FLAIR]
    head = {
        "window": window,
        "version": version,
        "size": training_slices.SIZE,
        "slices": listed,
        "shown": shown,
    }
    return head, packed
