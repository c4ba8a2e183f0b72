"""Check that a picture's size and aspect ratio allow a slice of a head, in millimeters if known."""

from __future__ import annotations

import numpy as np

from btmodels.quality.findings import Finding

LEAST_PIXELS = 32
"""A picture with fewer rows or columns cannot show a head; half as many suffice if they are known to be
wide."""

MOST_ASPECT = 2.4
"""Maximum aspect ratio of a picture: half a head is still within 2 to 1, a line of text is not."""


def find_wrong_shape(
    pixels: np.ndarray, shown: np.ndarray, spacing: tuple[float, float] | None
) -> Finding | None:
    """Return a finding for a picture that is too small, or too long and narrow, to show a head.

    Args:
        pixels: The picture as stored.
        shown: The result of `btmodels.transforms.proportions.in_proportion`.
        spacing: As for it.
    """
    rows, cols = pixels.shape[:2]
    if min(rows, cols) < LEAST_PIXELS // 2 or min(shown.shape[:2]) < LEAST_PIXELS:
        text = "This picture is too small to show a slice of a head."
        evidence = f"It has {rows} × {cols} pixels; at least {LEAST_PIXELS} each way are needed."
        return Finding("tiny", "stop", text, evidence)
    if max(shown.shape[:2]) <= MOST_ASPECT * min(shown.shape[:2]):
        return None
    text = "This picture is too long and narrow to show a slice of a head: no mask is drawn."
    large = "" if shown is pixels else f" of {spacing[0]:.2g} × {spacing[1]:.2g} mm"
    evidence = f"It has {rows} × {cols} pixels{large}; slices of a head are nearly square."
    return Finding("not_a_brain", "stop", text, evidence)
