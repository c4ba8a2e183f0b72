"""Grad-CAM for the viewer, computed on demand, one slice at a time."""

from __future__ import annotations

import numpy as np
import streamlit as st

from btmodels import registry
from btmodels.errors import BrainTumorError
from btmodels.inference import engine, gradcam
from btmodels.transforms.proportions import in_proportion, to_own_pixels
from ui.session.cache import SessionCache, upload_key
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import View

_maps: SessionCache[np.ndarray] = SessionCache("gradcam.maps", 200)
"""Maps by (key of a slice, hash of the classifier's weights)."""

FAILED = upload_key("gradcam.failed")
"""Session key of the reasons for failed maps, by key of a slice."""

CLASSIFIER = "default-classifier"


def cached(stack: Stack) -> dict[str, np.ndarray]:
    """Return the computed Grad-CAM maps of a stack, by key of a slice."""
    if not _maps.values():
        return {}
    mark = _mark()
    found = {key: _maps.get((key, mark)) for key in stack.keys}
    return {key: heat for key, heat in found.items() if heat is not None}


def is_missing(analyzed: Analyzed, view: View) -> bool:
    """Return whether the layer is on but not yet computed for the slice in the viewer."""
    key = analyzed.stack.keys[view.slice]
    failed = st.session_state.get(FAILED, {})
    there = analyzed.analyses[view.slice] is not None
    return view.gradcam and there and key not in analyzed.heats and key not in failed


def compute(stack: Stack, index: int) -> None:
    """Compute the Grad-CAM of the classifier's verdict on slice ``index``."""
    key, each = stack.keys[index], stack.slices[index]
    image = in_proportion(each.pixels, each.spacing)
    name = registry.get(CLASSIFIER).name
    try:
        found = engine.get_engine().ask(gradcam.compute_gradcam, image, name)
    except BrainTumorError as error:
        st.session_state[FAILED] = st.session_state.get(FAILED, {}) | {key: str(error)}
        return
    _maps.put((key, _mark()), to_own_pixels(found.heatmap, each.pixels))


def failure(stack: Stack, index: int) -> str:
    """Return a sentence on why a slice has no Grad-CAM map; empty if nothing failed."""
    return st.session_state.get(FAILED, {}).get(stack.keys[index], "")


def _mark() -> str:
    return registry.load_record(CLASSIFIER).sha256
