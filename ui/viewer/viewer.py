"""The slice viewer: hands a stack to the component in viewer.js and tells what the hand has set."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict

import streamlit as st

from ui.session.cache import upload_key
from ui.session.stack import Analyzed
from ui.session.view_state import CHANNELS, LAYERS, USUAL, View, view_from
from ui.shared.badges import badge_of
from ui.shared.component_files import read
from ui.viewer.packing import pack_maps, pack_pixels

_SCRIPTS = (
    "viewer/mount.js",
    "viewer/masks.js",
    "viewer/copy.js",
    "viewer/input.js",
    "viewer/sync.js",
    "viewer/render.js",
    "viewer/viewer.js",
)


_component = st.components.v2.component(
    "slice_viewer",
    html=read("viewer/viewer.html"),
    css=read("viewer/viewer.css"),
    js=read(*_SCRIPTS),
)

SHOWN_PIXELS = 4_000_000
"""Of a larger slice the viewer gets every second, third, … pixel, and its caption says so."""

PACKED = upload_key("viewer.packed")
"""Session key of the planes that were packed last."""


def viewer(
    analyzed: Analyzed, start: View, key: str, page: str = "analyze", bare: bool = False
) -> View:
    """Draw the viewer.

    Args:
        analyzed: What is shown; slices without an analysis are shown without a mask and say why.
        start: What is set when this stack comes up first.
        key: Of the widget, unique on the page; another key starts afresh.
        page: Address of the page that a copied link leads to.
        bare: Show the picture alone, as large as the window allows.

    Returns:
        What the hand had set when it last came to rest.
    """
    result = _component(
        key=f"{key}:{analyzed.stack.id}",
        data=_message(analyzed, start, page, bare),
        on_view_change=lambda: None,
    )
    return view_from(result.view, start, len(analyzed.stack.slices))


def _message(analyzed: Analyzed, start: View, page: str, bare: bool) -> bytes:
    # Streamlit hands bytes over untouched where they are all of the data: length of the head, the
    # head as JSON, then the packed planes that it points into.
    stack, model = analyzed.stack, analyzed.model
    there = "".join("01"[analysis is not None] for analysis in analyzed.analyses)
    hot = "".join("01"[key in analyzed.heats] for key in stack.keys)
    parts = (
        *stack.keys,
        there,
        hot,
        analyzed.message,
        str(analyzed.threshold),
        str(model),
        str(bare),
    )
    version = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    kept_version, slices, planes, images = st.session_state.get(PACKED, (None, None, None, {}))
    if kept_version != version:  # packing takes a while, and most reruns change nothing of it
        images = {key: images[key] for key in stack.keys if key in images}
        slices, planes = _pack(analyzed, images)
        st.session_state[PACKED] = version, slices, planes, images
    query = {"patient": stack.id} | ({"model": model} if model else {})
    meta = {
        "id": stack.id,
        "version": version,
        "slices": slices,
        "threshold": start.threshold if analyzed.threshold is None else analyzed.threshold,
        "minPixels": analyzed.min_component_pixels,
        "view": asdict(start),
        "bare": bare,
        "link": {
            "page": page,
            "query": query if stack.shared else None,  # a link never carries an upload
            "channels": CHANNELS,
            "layers": LAYERS,
            "usual": USUAL,
        },
    }
    head = json.dumps(meta).encode()
    return len(head).to_bytes(4, "little") + head + planes


def _pack(analyzed: Analyzed, images: dict[str, bytes]) -> tuple[list[dict], bytes]:
    # `images` keeps packed pixels by key: they stay as they are while more and more masks follow.
    entries, parts, end = [], [], 0

    def add(part: bytes | None) -> list[int] | None:
        nonlocal end
        if part is None:
            return None
        parts.append(part)
        end += len(part)
        return [end - len(part), len(part)]

    stack = analyzed.stack
    for key, each, analysis, provenance in zip(
        stack.keys, stack.slices, analyzed.analyses, stack.provenance, strict=True
    ):
        rows, cols = each.pixels.shape[:2]
        step = math.ceil(math.sqrt(rows * cols / SHOWN_PIXELS))
        levels = analysis.prediction.levels if analysis else None
        head = analysis.head if analysis else None
        heat = analyzed.heats.get(key) if analysis else None
        if key not in images:
            images[key] = pack_pixels(each.pixels, step)
        thinned = f" (of {step} × {step} pixels one is shown, figures are approximate)"
        entries.append(
            {
                "name": each.name,
                "label": each.name + thinned * (step > 1),
                "step": step,
                "short": each.name if each.number is None else f"Number {each.number}",
                "rows": len(range(0, rows, step)),
                "cols": len(range(0, cols, step)),
                "number": each.number,
                "image": add(images[key]),
                "maps": add(pack_maps(levels, each.truth, head, step, heat)),
                "hasLevels": levels is not None,
                "hasTruth": each.truth is not None,
                "hasHead": head is not None,
                "hasHeat": heat is not None,
                "truthLabel": badge_of(provenance).truth,
                "message": "" if analysis else analyzed.stopped.get(key, analyzed.message),
            }
        )
    return entries, b"".join(parts)
