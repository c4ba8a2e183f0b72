"""All slices of a stack as outlined thumbnails; a click on one turns the viewer to its slice."""

from __future__ import annotations

import hashlib
import math
from functools import partial

import cv2
import numpy as np
import streamlit as st

from btmodels.slices import FLAIR, Slice
from ui.session.cache import keep, upload_key
from ui.session.stack import Analyzed
from ui.session.view_state import View
from ui.shared.component_files import component
from ui.shared.plane_store import PlaneStore
from ui.viewer.message import message
from ui.viewer.packing import pack

_gallery = component("slice_gallery", "viewer/gallery")
_turn = component("slice_turn", "viewer/goto")

SIDE = 128
"""Most rows and columns of a thumbnail: enough to recognize a slice."""

PACKED, ASKED = upload_key("gallery.packed"), "gallery.asked"
"""Session keys of the last packed thumbnails, and of the last requested turn."""


def gallery(analyzed: Analyzed, start: View) -> None:
    """Draw a thumbnail of each slice; gallery and viewer of the same stack stay in sync.

    Args:
        analyzed: The stack; a slice without an analysis has only its true outline.
        start: The viewer's initial state; its threshold applies until the viewer sends another.
    """
    _gallery(key=f"gallery:{analyzed.stack.id}", data=pack_stack(analyzed, start.threshold))


def turn(stack_id: str, index: int) -> None:
    """Ask the viewer of a stack to show slice ``index``, once `turner` is drawn."""
    asked = st.session_state.get(ASKED, {"stamp": 0})
    st.session_state[ASKED] = {"stamp": asked["stamp"] + 1, "id": stack_id, "slice": index}


def turner() -> None:
    """Pass the request of `turn` to the viewer; draws nothing."""
    _turn(key="slice_turn", data=st.session_state.get(ASKED, {"stamp": 0}))


def pack_stack(analyzed: Analyzed, threshold: float) -> bytes:
    """Pack a stack for the browser."""
    stack = analyzed.stack
    there = "".join("01"[analysis is not None] for analysis in analyzed.analyses)
    parts = (*stack.keys, there, str(analyzed.model), str(analyzed.threshold))
    version = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    kept, slices, store = st.session_state.get(PACKED) or ("", [], PlaneStore())
    if kept != version:  # most reruns change nothing
        slices = _pack(analyzed, store)
        keep(PACKED, (version, slices, store))
    meta = {
        "id": stack.id,
        "version": version,
        "store": store.token,
        "slices": slices,
        "threshold": threshold,
        "minPixels": analyzed.min_component_pixels,
    }
    return message(meta, {})


def _pack(analyzed: Analyzed, store: PlaneStore) -> list[dict]:
    entries = []
    stack = analyzed.stack
    for number, (key, each, analysis) in enumerate(
        zip(stack.keys, stack.slices, analyzed.analyses, strict=True), 1
    ):
        probability_map = analysis.prediction.probability_map if analysis else None
        step = math.ceil(max(each.pixels.shape[:2]) / SIDE)
        entry = {
            "short": str(number if each.number is None else each.number),
            "step": step,
            "hasProbabilityMap": probability_map is not None,
            "hasTruth": each.truth is not None,
        }
        entry["rows"], entry["cols"] = _size(each, step)
        entry["window"] = stack.windows[number - 1][FLAIR]
        entry["image"] = store.put((key,), partial(_image, each, step))
        known = key, analyzed.model, analysis is not None
        entry["maps"] = store.put(known, partial(_maps, each, probability_map, step))
        entries.append(entry)
    store.keep(entry[name] for entry in entries for name in ("image", "maps"))
    return entries


def _size(each: Slice, step: int) -> tuple[int, int]:
    rows, cols = (math.ceil(size / step) for size in each.pixels.shape[:2])
    return rows, cols


def _image(each: Slice, step: int) -> bytes:
    rows, cols = _size(each, step)
    flair = np.ascontiguousarray(each.pixels[..., FLAIR])
    return pack(cv2.resize(flair, (cols, rows), interpolation=cv2.INTER_AREA)[None])


def _maps(each: Slice, probability_map: np.ndarray | None, step: int) -> bytes:
    # Masks are subsampled, not averaged, so that edges stay in place.
    maps = np.zeros((2, *_size(each, step)), np.uint8)
    for plane, values in zip(maps, (probability_map, each.truth), strict=True):
        if values is not None:
            plane[:] = values[::step, ::step]
    return pack(maps)
