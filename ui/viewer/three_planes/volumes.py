"""Volumes of a stack whose coronal and sagittal planes can be cut from their axial slices."""

from __future__ import annotations

import math
from collections.abc import Sequence

from btmodels.measurement.study import groups_of
from btmodels.slices import Slice
from ui.viewer.packing import thinning

UNKNOWN = "Three planes need the distance between slices, which these files do not state."
TURNED = "Slices that were turned manually have no other planes; turn them back to see three."
ALONE = "A single slice has no other planes."
UNEQUAL = "Slices of different sizes have no other planes."


def volumes_of(slices: Sequence[Slice]) -> tuple[list[dict], list[tuple[int | None, str]]]:
    """Return the volumes in a stack, and each slice's volume.

    Args:
        slices: Slices of a stack.

    Returns:
        The volumes for the browser, with ``slots``, the indices of evenly spaced axial slices from the
        feet up, None where one is missing, and ``spacing``, the millimeters between slots, rows and
        columns; and for each slice the index of its volume, or None and a sentence on why it has none.
    """
    volumes: list[dict] = []
    found: list[tuple[int | None, str]] = [(None, UNKNOWN)] * len(slices)
    for group in groups_of(slices):
        own = [slices[index] for index in group]
        reason = _why_flat(own)
        for index in group:
            found[index] = (None, reason) if reason else (len(volumes), "")
        if not reason:
            volumes.append(_volume(own, group))
    return volumes, found


def _why_flat(slices: Sequence[Slice]) -> str:
    first = slices[0]
    if len(slices) < 2:
        return ALONE
    if first.position is None or first.position.grid.spacing is None:
        return UNKNOWN
    if any(each.turn is not None for each in slices):
        return TURNED
    return UNEQUAL if len({each.pixels.shape for each in slices}) > 1 else ""


def _volume(slices: Sequence[Slice], group: Sequence[int]) -> dict:
    indices = [each.position.index for each in slices]
    # A fine volume is subsampled, and a damaged one lacks slices.
    step = math.gcd(*(index - indices[0] for index in indices[1:]))
    slots: list[int | None] = [None] * ((indices[-1] - indices[0]) // step + 1)
    for index, at in zip(group, indices, strict=True):
        slots[(at - indices[0]) // step] = index
    apart, row, col = slices[0].position.grid.spacing
    thinned = thinning(*slices[0].pixels.shape[:2])
    spacing = {"slot": apart * step, "row": row * thinned, "col": col * thinned}
    return {"slots": slots, "spacing": spacing}
