"""Lesson *Is there one? Where?*: both steps on one slice, and on all recorded test slices."""

from __future__ import annotations

import json
import zlib
from typing import Any

import streamlit as st

from btmodels import registry
from btmodels.errors import WeightsError
from btmodels.inference import engine, gradcam
from ui.lessons import slice_choice
from ui.lessons.lesson import WIDTH, Lesson
from ui.lessons.shared.parts import SHARED_STYLES, slice_message, step_of
from ui.results import scores
from ui.session.engine_queries import ask
from ui.session.stack import Analyzed
from ui.shared.component_files import component
from ui.viewer.message import message
from ui.viewer.packing import pack

CLASSIFIER, SEGMENTER = "default-classifier", "default"

_one_slice = component("lesson_two_steps", "lessons/two_steps/one_slice", *SHARED_STYLES)
_cascade = component("lesson_cascade", "lessons/two_steps/cascade", *SHARED_STYLES)


def draw(lesson: Lesson) -> None:
    """Draw the lesson between its question and the check."""
    lesson.prose("Two questions about one slice")
    stack = slice_choice.choose(lesson)
    if stack is not None:
        _slice(lesson, slice_choice.analyze(stack))
        lesson.tasks("two-steps")
    lesson.prose("A threshold for the first step")
    lesson.prose("What each step saves and costs")
    recorded = recorded_slices()
    if recorded is None:
        st.info(
            "The scores of the two networks on the test patients are not in this copy of the project: "
            "`python -m train evaluate` writes them.",
            icon=":material/science:",
        )
    else:
        head, slices = recorded
        packed = zlib.compress(json.dumps(slices).encode())
        _cascade(key=lesson.key("cascade"), data=message(head, {"slices": packed}))
        with st.container(width=WIDTH):
            st.caption(
                f"{len(slices):,} slices of {head['patients']} test patients, as recorded for the weights "
                f"of {head['classifier']} and {head['segmenter']} in this copy."
            )
        lesson.tasks("cascade")
    lesson.prose("In words")


def recorded_slices() -> tuple[dict[str, Any], list[list]] | None:
    """Return the results of both networks on the test patients; None if either has no scores there.

    Returns:
        A head with the classifier's stored threshold and AUC, and one row per slice: number of the
        patient, the classifier's probability, and the segmenter's counts tp, fp, fn, tn.
    """
    first, second = (scores.read(name)[0].get("test", {}) for name in (CLASSIFIER, SEGMENTER))
    if not first.get("per_slice") or not second.get("per_slice"):
        return None
    slices = [
        [number, first["per_slice"][patient][name][0], *counts]
        for number, (patient, of_patient) in enumerate(second["per_slice"].items())
        for name, counts in of_patient.items()
        if name in first["per_slice"].get(patient, {})
    ]
    head = {
        "version": f"{first['weights_sha256']} {second['weights_sha256']}",
        "stored": first["threshold"],
        "auc": first["auc"],
        "patients": len(second["per_slice"]),
        "classifier": registry.get(CLASSIFIER).title,
        "segmenter": registry.get(SEGMENTER).title,
    }
    return head, slices


def _slice(lesson: Lesson, analyzed: Analyzed) -> None:
    each, analysis = analyzed.stack.slices[0], analyzed.analyses[0]
    heat = None
    if analysis is not None:
        name = registry.get(CLASSIFIER).name

        def job():
            return engine.get_engine().ask(gradcam.compute_gradcam, each.pixels, name).heatmap

        answer = ask(("lesson gradcam", analyzed.stack.keys[0], name), job)
        heat = answer.found
    step = step_of(each)
    try:
        stored = registry.load_record(CLASSIFIER).threshold
    except WeightsError:
        stored = 0.5
    version = f"{analyzed.stack.keys[0]} {analyzed.model} {analysis is not None} {heat is not None}"
    _one_slice(
        key=lesson.key("slice"),
        data=slice_message(
            analyzed,
            None if heat is None else {"heat": pack(heat[::step, ::step][None])},
            version=version,
            probability=analysis.prediction.tumor_probability if analysis else None,
            stored=stored,
        ),
    )
