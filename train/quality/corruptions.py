"""Corruptions of slices that the input check must catch.

Each function takes and returns pixels, uint8, (rows, cols, 3); the size may change.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from btmodels.slices import FLAIR, Slice
from btmodels.transforms.postprocess import head_mask

LEAST_HEAD = 0.08
"""Smallest share of the picture for the head of a slice to corrupt; less would show too little."""


def corruptible(each: Slice) -> bool:
    """Return whether a slice shows enough of a head for a corruption to be visible."""
    return bool(head_mask(each.pixels).mean() >= LEAST_HEAD) and int(each.pixels.max()) > 60


def distinct(pixels: np.ndarray) -> bool:
    """Return whether all three sequences differ; if not, exchanging them changes nothing."""
    pairs = ((0, 1), (1, 2), (0, 2))
    return all((pixels[..., a] != pixels[..., b]).mean() > 0.05 for a, b in pairs)


def gray(pixels: np.ndarray) -> np.ndarray:
    """Put FLAIR in all channels, as when a gray picture is read."""
    return np.repeat(pixels[..., FLAIR : FLAIR + 1], 3, axis=2)


def same_t1(pixels: np.ndarray) -> np.ndarray:
    """Replace post-contrast T1 with pre-contrast T1."""
    return pixels[..., [0, 1, 0]].copy()


def ct(pixels: np.ndarray) -> np.ndarray:
    """Imitate a CT: a white ring of bone around a uniformly gray brain, the same in all channels.

    The ring follows the head's outline; the gray inside keeps a trace of FLAIR.
    """
    head = head_mask(pixels).astype(np.uint8)
    rows = head.shape[0]
    framed = cv2.copyMakeBorder(head, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1] * 256 / rows
    flair = cv2.GaussianBlur(pixels[..., FLAIR].astype(np.float32), (0, 0), 2)
    inside = flair[head > 0]
    trace = (flair - inside.mean()) / max(1.0, float(inside.std()))
    gray_level = np.where(head > 0, 90 + 8 * trace, 0)
    gray_level = np.where((depth > 0) & (depth <= 5), 60, gray_level)  # scalp
    gray_level = np.where((depth > 5) & (depth <= 13), 250, gray_level)  # bone
    soft = cv2.GaussianBlur(gray_level.astype(np.float32), (0, 0), 0.8)
    return np.repeat(np.clip(soft, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def crop_middle(pixels: np.ndarray) -> np.ndarray:
    """Crop to the middle half of the head's bounding box in both directions."""
    rows, cols = np.nonzero(head_mask(pixels))
    top, bottom, left, right = rows.min(), rows.max() + 1, cols.min(), cols.max() + 1
    height, width = bottom - top, right - left
    return pixels[
        top + height // 4 : bottom - height // 4, left + width // 4 : right - width // 4
    ].copy()


def crop_half(pixels: np.ndarray) -> np.ndarray:
    """Crop to the left half of the head, with the air around it."""
    cols = np.nonzero(head_mask(pixels))[1]
    return pixels[:, : int(cols.mean())].copy()


CORRUPTIONS: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray], tuple[str, ...]]] = {
    "grayscale": ("FLAIR in all three channels", gray, ("gray",)),
    "replicated": ("pre-contrast T1 in place of post-contrast T1", same_t1, ("replicated",)),
    "swapped, FLAIR first": ("FLAIR, pre, post", lambda p: p[..., [1, 0, 2]].copy(), ("swapped",)),
    "swapped, FLAIR last": ("pre, post, FLAIR", lambda p: p[..., [0, 2, 1]].copy(), ("swapped",)),
    "turned forward": ("post, pre, FLAIR", lambda p: p[..., [2, 0, 1]].copy(), ("swapped",)),
    "turned back": ("FLAIR, post, pre", lambda p: p[..., [1, 2, 0]].copy(), ("swapped",)),
    "exchanged": (
        "post, FLAIR, pre (BGR)",
        lambda p: p[..., ::-1].copy(),
        ("exchanged", "swapped"),
    ),
    "too dark": ("a tenth of the range", lambda p: (p * 0.1).astype(np.uint8), ("dark",)),
    "washed out": (
        "levels from 80 to 182",
        lambda p: np.rint(80 + 0.4 * p).astype(np.uint8),
        ("washed_out", "inverted"),
    ),
    "overexposed": (
        "four times as bright, cut at white",
        lambda p: np.clip(p * 4.0, 0, 255).astype(np.uint8),
        ("overexposed",),
    ),
    "run over": (
        "eight times as bright, beginning anew at black",
        lambda p: (p.astype(np.int32) * 8 % 256).astype(np.uint8),
        ("wrapped", "not_a_brain"),
    ),
    "inverted": ("white where it was black", lambda p: 255 - p, ("inverted",)),
    "CT-like": ("a white ring around even gray", ct, ("ct", "not_a_brain")),
    "cropped, middle": ("half the head each way", crop_middle, ("cropped", "not_a_brain")),
    "cropped, half": ("the left half", crop_half, ("cropped", "not_a_brain")),
}
"""Corruptions by name: a description, the function, and the findings that count as a hit."""

CHANNEL_CORRUPTIONS = (
    "replicated",
    "swapped, FLAIR first",
    "swapped, FLAIR last",
    "turned forward",
    "turned back",
    "exchanged",
)
"""Corruptions that need three different sequences."""
