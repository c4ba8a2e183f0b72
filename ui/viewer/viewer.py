"""The slice viewer: passes a stack to the component in viewer.js and returns the state of the controls."""

from __future__ import annotations

import hashlib
from dataclasses import asdict

import numpy as np
import streamlit as st

from btmodels.slices import Analysis, Slice
from ui.session.cache import upload_key
from ui.session.stack import Analyzed, Stack
from ui.session.view_state import CHANNELS, LAYERS, USUAL, View, view_from
from ui.shared.badges import badge_of
from ui.shared.component_files import component, view_of
from ui.shared.plane_store import PlaneStore
from ui.viewer.message import message
from ui.viewer.packing import pack_maps, pack_pixels, thinning
from ui.viewer.three_planes.volumes import volumes_of

_component = component("slice_viewer", "viewer/viewer")

STOPPED = "No mask is drawn: the input check gives the reason."
"""Message of the viewer for a slice that the input check stops; the reason stands next to the viewer."""

PACKED = upload_key("viewer.packed")
"""Session key of the last packed planes."""


def state_key(key: str, stack: Stack) -> str:
    """Return the session key of the state of the controls, which is there while the page is open."""
    return f"{key}:{stack.id}"


def viewer(
    analyzed: Analyzed, start: View, key: str, page: str = "analyze", bare: bool = False
) -> View:
    """Draw the viewer.

    Args:
        analyzed: The stack; slices without an analysis are shown without a mask, with the reason.
        start: Initial state for this stack.
        key: Key of the widget, unique on the page; another key resets the viewer.
        page: Address of the page that a copied link leads to.
        bare: Show the picture alone, as large as the window allows.

    Returns:
        The state of the controls after the visitor's last action.
    """
    data = _message(analyzed, start, page, bare)
    sent = view_of(_component, state_key(key, analyzed.stack), data)
    return view_from(sent, start, len(analyzed.stack.slices))


def _message(analyzed: Analyzed, start: View, page: str, bare: bool) -> bytes:
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
        str(start.slice),
    )
    version = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    packed = st.session_state.setdefault(PACKED, PackedStack())
    packed.update(version, analyzed)
    query = {"patient": stack.id} | ({"model": model} if model else {})
    meta = {
        "id": stack.id,
        "version": version,
        "store": packed.store.token,
        "slices": packed.entries,
        "volumes": packed.volumes,
        "threshold": start.threshold if analyzed.threshold is None else analyzed.threshold,
        "minPixels": analyzed.min_component_pixels,
        "view": asdict(start),
        "bare": bare,
        "pending": analyzed.pending,
        "link": {
            "page": page,
            "query": query if stack.shared else None,  # a link never carries an upload
            "channels": CHANNELS,
            "layers": LAYERS,
            "usual": USUAL,
        },
    }
    return message(meta, {})


def _edges(each: Slice) -> dict[str, str] | None:
    """Return the orientation of the picture's edges as R, L, A or P; None if the file does not say."""
    if each.position is None or each.position.grid.affine is None or not each.position.grid.placed:
        return None
    front, back, right, left = "APRL"
    if each.turn is not None:
        faces = each.turn.apply(np.array([["", front, ""], [right, "", left], ["", back, ""]]))
        (_, front, _), (right, _, left), (_, back, _) = faces.tolist()
    return {"top": front, "bottom": back, "left": right, "right": left}


class PackedStack:
    """The browser's data of a stack: an entry for each slice, and planes that it fetches by name.

    Attributes:
        store: Store of the planes.
        entries: One entry per slice, for JSON.
        volumes: Volumes that can be shown in three planes, for JSON.
    """

    def __init__(self) -> None:
        self.store = PlaneStore()
        self.entries: list[dict] = []
        self.volumes: list[dict] = []
        self._version = ""

    def update(self, version: str, analyzed: Analyzed) -> None:
        """Take over the changes of this version; most reruns change nothing."""
        if version == self._version:
            return
        before = self._names()
        stack = analyzed.stack
        self.volumes, found = volumes_of(stack.slices)
        self.entries = [
            self._entry(each, provenance, key, analyzed, analysis)
            | {"window": window, "volume": volume, "flat": reason}
            for key, each, analysis, provenance, window, (volume, reason) in zip(
                stack.keys,
                stack.slices,
                analyzed.analyses,
                stack.provenance,
                stack.windows,
                found,
                strict=True,
            )
        ]
        # The browser may still be requesting planes of the previous version.
        self.store.keep([*self._names(), *before])
        self._version = version

    def _names(self) -> list[str | None]:
        return [entry[kind] for entry in self.entries for kind in ("image", "maps")]

    def _entry(
        self,
        each: Slice,
        provenance: str,
        key: str,
        analyzed: Analyzed,
        analysis: Analysis | None,
    ) -> dict:
        rows, cols = each.pixels.shape[:2]
        step = thinning(rows, cols)
        probability_map = analysis.prediction.probability_map if analysis else None
        head = analysis.head if analysis else None
        heat = analyzed.heats.get(key) if analysis else None

        image = self.store.put((key,), lambda: pack_pixels(each.pixels, step))
        maps = None
        if any(plane is not None for plane in (probability_map, each.truth, head, heat)):
            known = key, analyzed.model, analysis is not None, heat is not None
            maps = self.store.put(
                known, lambda: pack_maps(probability_map, each.truth, head, step, heat)
            )
        thinned = f" (one of {step} × {step} pixels is shown; figures are approximate)"
        return {
            "name": each.name,
            "label": each.label + thinned * (step > 1),
            "step": step,
            "short": each.name if each.number is None else f"number {each.number}",
            "rows": len(range(0, rows, step)),
            "cols": len(range(0, cols, step)),
            "number": each.number,
            "image": image,
            "maps": maps,
            "marks": _edges(each),
            "millimeters": each.spacing[1] * step if each.spacing else None,
            "tall": each.spacing[0] / each.spacing[1] if each.spacing else 1,
            "area": analysis.marked_pixels if analysis else None,
            "truthArea": None if each.truth is None else int(np.count_nonzero(each.truth)),
            "hasProbabilityMap": probability_map is not None,
            "hasTruth": each.truth is not None,
            "hasHead": head is not None,
            "hasHeat": heat is not None,
            "truthLabel": badge_of(provenance).truth,
            "message": "" if analysis else STOPPED if key in analyzed.stopped else analyzed.message,
        }
