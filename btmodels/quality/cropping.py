"""Detect an edge of the picture that cuts through the head. The networks were trained on whole heads."""

from __future__ import annotations

import cv2
import numpy as np

from btmodels.quality import head_features
from btmodels.quality.classifier import Thresholds
from btmodels.quality.findings import Finding
from btmodels.slices import FLAIR
from btmodels.transforms.preprocess import FOREGROUND_LEVEL

AIR = 0.12
"""Pixels darker than this fraction of the FLAIR range are air if no outline is visible."""

OUTLINE = 0.5
"""Fraction of Otsu's threshold above which a pixel belongs to the outline. One half includes scalp and
brain, which are darker than fat, and excludes noise in the air."""


def find_cropping(pixels: np.ndarray, thresholds: Thresholds) -> list[Finding]:
    """Return a finding if the head runs into an edge of the picture.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        thresholds: Thresholds of the check.
    """
    side, share = cropped_edge(pixels)
    if share <= thresholds.values["cropped"]:
        return []
    text = (
        "This slice seems cropped: the head runs into the edge of the picture. The networks have seen "
        "whole heads with air around them."
    )
    evidence = f"The {side} edge cuts through {100 * share:.0f}% of the extent of what is bright."
    return [Finding("cropped", "fault", text, evidence)]


def cropped_edge(pixels: np.ndarray) -> tuple[str, float]:
    """Return the edge that cuts off most of the head, and the fraction of the head's extent along it.

    The head is found in two ways: by its outline, which is robust to noise in the air, and by brightness
    alone, because a head that fills the picture has no outline.
    """
    squeezed = head_features.resize_unpadded(pixels)
    cuts = [
        _spans(_outline(head_features.mean_of_channels(squeezed))),
        _fills(squeezed[..., FLAIR]),
    ]
    return max((pair for each in cuts for pair in each.items()), key=lambda pair: pair[1])


def _outline(gray: np.ndarray) -> np.ndarray:
    """Return the largest bright region, bool, with its holes."""
    levels = np.rint(cv2.GaussianBlur(gray, (0, 0), 1.0)).astype(np.uint8)
    low = float(np.percentile(levels, 1))
    limit, _ = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    bright = (levels > low + OUTLINE * (limit - low)).view(np.uint8)
    if not bright.any():
        return bright.astype(bool)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright, connectivity=8)
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def _spans(head: np.ndarray) -> dict[str, float]:
    # Measure from the first to the last pixel along an edge: a cut ring touches it at two ends.
    height, width = (max(1, _extent(head.any(axis=axis))) for axis in (1, 0))
    return {
        name: min(1.0, _extent(edge.any(axis=axis)) / (width, height)[axis])
        for name, (edge, axis) in _edges(head).items()
    }


def _fills(flair: np.ndarray) -> dict[str, float]:
    low, high = (float(np.percentile(flair, q)) for q in (1, 99))
    bright = flair > low + max(AIR * (high - low), FOREGROUND_LEVEL)
    height, width = (max(0.05, float((bright.mean(axis=axis) > 0.1).mean())) for axis in (1, 0))
    return {
        name: min(1.0, float(edge.mean()) / (width, height)[axis])
        for name, (edge, axis) in _edges(bright).items()
    }


def _edges(mask: np.ndarray) -> dict[str, tuple[np.ndarray, int]]:
    """Return the outermost rows or columns of each side, and the axis across that edge."""
    k = head_features.FRAME
    return {
        "upper": (mask[:k], 0),
        "lower": (mask[-k:], 0),
        "left": (mask[:, :k], 1),
        "right": (mask[:, -k:], 1),
    }


def _extent(line: np.ndarray) -> int:
    found = np.flatnonzero(line)
    return int(found[-1] - found[0]) + 1 if found.size else 0
