"""Corrections that one click applies: each is a function from pixels to pixels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from btmodels.quality import screenshot
from btmodels.quality.channel_features import ORDERS
from btmodels.slices import CHANNELS, FLAIR, Slice

BRIGHT = 200
"""Gray value, of 255, to which `stretch` maps the 99.8th percentile."""


def invert(pixels: np.ndarray, channel: int | None = None) -> np.ndarray:
    """Invert the gray values of one channel or of all."""
    if channel is None:
        return 255 - pixels
    found = pixels.copy()
    found[..., channel] = 255 - found[..., channel]
    return found


def stretch(pixels: np.ndarray) -> np.ndarray:
    """Map each channel's first percentile to black and its 99.8th to `BRIGHT`."""
    values = pixels.astype(np.float32)
    low, high = np.percentile(values, (1, 99.8), axis=(0, 1))
    gain = np.where(high - low >= 1, BRIGHT / np.maximum(high - low, 1), 1.0)
    return np.clip(np.rint((values - low) * gain), 0, 255).astype(np.uint8)


def reorder(pixels: np.ndarray, order: tuple[int, int, int]) -> np.ndarray:
    """Reorder the channels; ``order`` holds the current index of each of `CHANNELS`."""
    return np.ascontiguousarray(pixels[..., list(order)])


CORRECTIONS = {
    "crop": ("Analyze only the slice in this picture", screenshot.crop),
    "invert": ("Invert bright and dark", invert),
    "stretch": ("Stretch the range of gray", stretch),
    "flair": ("Put FLAIR in place of both", lambda pixels: reorder(pixels, (FLAIR,) * 3)),
    **{
        f"invert{c}": (
            f"Invert bright and dark in {CHANNELS[c]}",
            lambda pixels, c=c: invert(pixels, c),
        )
        for c in range(3)
    },
    **{
        "order" + "".join(map(str, order)): (
            "Put the channels in order",
            lambda pixels, order=order: reorder(pixels, order),
        )
        for order in ORDERS[1:]
    },
}
"""Corrections by name: the label of the button, and the function."""

_DESCRIPTIONS = {
    "crop": "the slice was cut out of the picture around it before the analysis.",
    "invert": "bright and dark were inverted before the analysis.",
    "stretch": "the range of gray was stretched before the analysis.",
    "flair": "FLAIR was put in place of pre- and post-contrast T1 before the analysis.",
}


def correct(each: Slice, names: tuple[str, ...]) -> Slice:
    """Return the corrected slice, with a note for each correction.

    Args:
        each: As it was read from its file.
        names: Keys of `CORRECTIONS`, applied in this order.

    Raises:
        KeyError: There is no such correction.
    """
    pixels, notes = each.pixels, each.notes
    for name in names:
        pixels = CORRECTIONS[name][1](pixels)
        notes += (describe(name),)
    truth = each.truth if each.pixels.shape == pixels.shape else None
    return replace(each, pixels=pixels, truth=truth, notes=notes)


def describe(name: str) -> str:
    """Return a sentence that says what a correction did."""
    if name in _DESCRIPTIONS:
        return f"Corrected: {_DESCRIPTIONS[name]}"
    if name.startswith("order"):
        taken = ", ".join(CHANNELS[int(digit)] for digit in name[5:])
        return (
            "Corrected: the channels were put in another order before the analysis: what stood for "
            f"{taken} is now taken for {', '.join(CHANNELS)}."
        )
    channel = CHANNELS[int(name[-1])]
    return f"Corrected: bright and dark were inverted in {channel} before the analysis."
