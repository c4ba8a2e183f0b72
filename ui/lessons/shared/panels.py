"""Masks of one slice side by side; switches choose among the masks of a panel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from btmodels.metrics.overlap import count, dice, hausdorff95
from btmodels.slices import Slice
from ui.lessons.shared.parts import SHARED_STYLES, step_of, window_of
from ui.shared.component_files import component, view_of
from ui.viewer.message import message
from ui.viewer.packing import pack, pack_pixels

_panels = component("lesson_panels", "lessons/shared/panels", *SHARED_STYLES)


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture.

    Attributes:
        title: Name of the mask's source.
        note: A sentence or two below the picture.
        masks: bool, (rows, cols) each; one, or one for each setting of the switches.
    """

    title: str
    note: str
    masks: Sequence[np.ndarray]


def settings(switches: int) -> list[tuple[bool, ...]]:
    """Return all settings of the switches, in the order of a panel's masks."""
    return list(product((True, False), repeat=switches))


def pack_panels(each: Slice, panels: Sequence[Panel], **head: Any) -> bytes:
    """Pack slice, true mask and masks for the browser, with each mask's scores.

    Args:
        each: The slice.
        panels: Panels from left to right.
        head: Further fields for the browser.
    """
    # Scores count all pixels; of a large slice only every n-th row and column is shown.
    step = step_of(each)
    rows, cols = each.pixels[::step, ::step].shape[:2]
    masks = [mask for panel in panels for mask in panel.masks]
    truth = np.zeros(each.pixels.shape[:2], bool) if each.truth is None else each.truth
    planes = np.stack([plane[::step, ::step] for plane in (truth, *masks)]).astype(np.uint8)
    described, plane = [], 1
    for panel in panels:
        answers = []
        for mask in panel.masks:
            answers.append(
                {
                    "plane": plane,
                    "dice": None if each.truth is None else dice(count(mask, each.truth)),
                    "border": None if each.truth is None else hausdorff95(mask, each.truth),
                    "marked": int(np.count_nonzero(mask)),
                }
            )
            plane += 1
        described.append({"title": panel.title, "note": panel.note, "answers": answers})
    known = {
        "rows": rows,
        "cols": cols,
        "window": window_of(each),
        "name": each.name,
        "planes": len(planes),
        "hasTruth": each.truth is not None,
        "panels": described,
    }
    return message(known | head, {"image": pack_pixels(each.pixels, step), "masks": pack(planes)})


def draw(key: str, packed: bytes) -> dict[str, Any]:
    """Draw the output of `pack_panels`; return the state of its switches."""
    return view_of(_panels, key, packed)
