"""Grad-CAM for the viewer, computed on request, a slice at a time."""

from __future__ import annotations

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.errors import BrainTumorError
from btmodels.inference import engine, gradcam
from ui.session.cache import SessionCache, upload_key
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View

_maps: SessionCache[np.ndarray] = SessionCache("gradcam.maps", 200)
"""By (key of a slice, hash of the classifier)."""

FAILED = upload_key("gradcam.failed")
"""Session key of why a map could not be computed, by key of a slice."""

CLASSIFIER = "default-classifier"


def cached(stack: Stack) -> dict[str, np.ndarray]:
    """Return the heat of those slices of a stack for which it was asked, by key."""
    if not _maps.values():
        return {}
    mark = _mark()
    found = {key: _maps.get((key, mark)) for key in stack.keys}
    return {key: heat for key, heat in found.items() if heat is not None}


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
    _maps.put((key, _mark()), found.levels)


def failure(stack: Stack, index: int) -> str:
    """Return why there is no heat for a slice, one sentence; empty where nothing failed."""
    return st.session_state.get(FAILED, {}).get(stack.keys[index], "")


def _mark() -> str:
    return registry.load_record(CLASSIFIER).sha256
