"""Turn and mirror a slice before it is analyzed, and turn the results back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from btmodels.slices import Slice, Turn


def turn_slice(each: Slice, turn: Turn) -> Slice:
    """Turn a slice with its true mask and spacing; `Slice.turn` records the turn for its inverse.

    Raises:
        ValueError: It has already been turned.
    """
    if each.turn is not None:
        raise ValueError(f"A slice is turned once. Received: {each.name}, turned by {each.turn}")
    if turn == Turn():
        return each
    spacing = each.spacing[::-1] if each.spacing and turn.quarters % 2 else each.spacing
    truth = None if each.truth is None else turn.apply(each.truth)
    pixels = turn.apply(each.pixels)
    note = f"{each.name} was turned manually; saved masks are turned back to match the file."
    notes = (*each.notes, note)
    return replace(each, pixels=pixels, truth=truth, spacing=spacing, notes=notes, turn=turn)


def as_uploaded(picture: np.ndarray, each: Slice) -> np.ndarray:
    """Turn a picture of a slice, such as its mask, back to the orientation of its file."""
    return picture if each.turn is None else each.turn.undo(picture)
