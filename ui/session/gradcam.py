"""Grad-CAM for the viewer: computed when somebody looks for it, a slice at a time."""

from __future__ import annotations

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.errors import BrainTumorError
from btmodels.inference import engine, gradcam
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View

KEPT, FAILED = "gradcam.kept", "gradcam.failed"
"""Session keys: heat by (key of a slice, hash of the classifier), and what could not be had."""

MOST = 200
CLASSIFIER = "default-classifier"


def cached(stack: Stack) -> dict[str, np.ndarray]:
    """Return the heat of those slices of a stack for which it was asked, by key."""
    kept = st.session_state.get(KEPT)
    if not kept:
        return {}
    mark = _mark()
    return {key: kept[key, mark] for key in stack.keys if (key, mark) in kept}


def is_missing(analyzed: Analyzed, view: View) -> bool:
    """Whether the layer is on and the slice in the viewer lacks it yet."""
    key = analyzed.stack.keys[view.slice]
    failed = st.session_state.get(FAILED, {})
    there = analyzed.analyses[view.slice] is not None
    return view.gradcam and there and key not in analyzed.heats and key not in failed


def compute(stack: Stack, index: int) -> None:
    """Have the classifier say what spoke for its verdict on slice ``index``."""
    key = stack.keys[index]
    name = registry.get(CLASSIFIER).name
    try:
        found = engine.get_engine().ask(gradcam.compute_gradcam, stack.slices[index].pixels, name)
    except BrainTumorError as error:
        st.session_state[FAILED] = st.session_state.get(FAILED, {}) | {key: str(error)}
        return
    kept = st.session_state.setdefault(KEPT, {})
    while len(kept) >= MOST:
        del kept[next(iter(kept))]
    kept[key, _mark()] = found.levels


def failure(stack: Stack, index: int) -> str:
    """Return why there is no heat for a slice, one sentence; empty where nothing failed."""
    return st.session_state.get(FAILED, {}).get(stack.keys[index], "")


def forget() -> None:
    """Drop all of it."""
    for key in (KEPT, FAILED):
        st.session_state.pop(key, None)


def _mark() -> str:
    return registry.load_record(CLASSIFIER).sha256
