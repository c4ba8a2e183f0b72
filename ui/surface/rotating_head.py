"""A head that rotates with the tumor inside, drawn by WebGL from the segmenter's own masks.

Two surfaces of at most `TRIANGLES` triangles each are sent once as integers, about 40 KB compressed.
"""

from __future__ import annotations

import hashlib

import numpy as np

from btmodels.measurement import surface
from btmodels.visualize import overlay
from ui.session.cache import SessionCache
from ui.session.stack import Analyzed
from ui.shared.component_files import component
from ui.viewer.message import message

TRIANGLES = 4_000
"""Most triangles in each surface; more are not visible at this size."""

FEWEST_SLICES = 8
"""Fewest slices for a head."""

_SCALE = 32_767  # coordinates are sent as 16-bit integers

_component = component("rotating_head", "surface/rotating_head")

_messages: SessionCache[bytes] = SessionCache("surface.messages", 2)
"""Messages by key of the masks: a rerun with the same masks computes nothing."""


def can_rotate(analyzed: Analyzed) -> bool:
    """Return whether a stack has enough slices of one size for a head."""
    slices = analyzed.stack.slices
    return len(slices) >= FEWEST_SLICES and len({each.pixels.shape for each in slices}) == 1


def rotating_head(analyzed: Analyzed, threshold: float, key: str) -> None:
    """Draw the head, and the tumor inside once the slices are segmented; nothing unless `can_rotate`.

    Args:
        analyzed: The stack, which may be partly segmented.
        threshold: Threshold on the segmenter's probability, 0 to 1.
        key: Key of the widget, unique on the page.
    """
    if not can_rotate(analyzed):
        return
    done = tuple(each is not None for each in analyzed.analyses) if not analyzed.pending else ()
    name = (analyzed.stack.keys, analyzed.model, done, threshold if done else None)
    data = _messages.get(name)
    if data is None:
        data = _messages.put(name, _pack(analyzed.at_threshold(threshold), any(done)))
    _component(key=f"{key}:{analyzed.stack.id}", data=data)


def _pack(analyzed: Analyzed, segmented: bool) -> bytes:
    slices = analyzed.stack.slices
    heads = surface.head_volume(np.stack([each.pixels for each in slices]))
    steps = surface.proportions_of(heads.shape, heads, surface.spacing_of(slices)).steps
    meshes = {"head": surface.surface(heads, steps, TRIANGLES, surface.HEAD_SMOOTHING)}
    if segmented and any(meshes.values()):
        masks = surface.stack_masks([each and each.mask for each in analyzed.analyses])
        meshes["tumor"] = surface.surface(masks, steps, TRIANGLES)
    return pack_meshes({name: mesh for name, mesh in meshes.items() if mesh})


def pack_meshes(meshes: dict[str, surface.Mesh]) -> bytes:
    """Return a message for ``rotating_head.js``: surfaces centered on the middle of the first one.

    Args:
        meshes: Meshes by name, each with at most 65,536 vertices; they are scaled to a radius of 1.
    """
    parts: dict[str, bytes] = {}
    if meshes:
        first = next(iter(meshes.values())).vertices
        middle = (first.min(axis=0) + first.max(axis=0)) / 2
        apart = (np.linalg.norm(each.vertices - middle, axis=1) for each in meshes.values())
        radius = max(float(each.max()) for each in apart)
        for name, mesh in meshes.items():
            places = np.rint((mesh.vertices - middle) * (_SCALE / radius))
            parts[f"{name}.vertices"] = places.astype("<i2").tobytes()
            parts[f"{name}.triangles"] = mesh.triangles.astype("<u2").tobytes()
    content = b"".join(parts.values())
    color = [channel / 255 for channel in overlay.PREDICTION_COLOR]
    head = {"version": hashlib.sha256(content).hexdigest()[:16], "color": color}
    return message(head | {"scale": _SCALE}, parts)
