"""The input check: findings from the pixels of a slice, before any network sees it.

`btmodels.quality.findings` lists what it can report; `python -m train quality` measures how often it is
right. It needs only NumPy and OpenCV and takes milliseconds.
"""

from __future__ import annotations

import cv2
import numpy as np

from btmodels.quality import (
    channel_features,
    channels,
    colors,
    corrections,
    cropping,
    head_features,
    proportions,
    screenshot,
)
from btmodels.quality.classifier import Thresholds, load_thresholds
from btmodels.quality.findings import Finding, QualityReport
from btmodels.slices import CHANNELS, FLAIR
from btmodels.transforms.proportions import MOST_SIDE, in_proportion

LEAST_ALONE = 1.0
"""Minimum score for a single channel of a strongly colored picture to count as a head."""

DARK = 0.1
"""A picture whose brightest pixels (99.5th percentile, at 128 x 128) are below this fraction of white is
either too dark or nearly empty."""


def check_slice(
    pixels: np.ndarray,
    thresholds: Thresholds | None = None,
    spacing: tuple[float, float] | None = None,
) -> QualityReport:
    """Check whether a slice is a usable MRI slice of a head.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255, channels as in `btmodels.slices.CHANNELS`.
        thresholds: Thresholds of the check; the committed ones if None.
        spacing: Row and column spacing in millimeters, if known, so that the head is judged by its true
            proportions.

    Raises:
        ValueError: ``pixels`` is not such an array.
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(
            "A slice must be uint8, (rows, cols, 3). "
            f"Received: dtype={pixels.dtype}, shape={pixels.shape}"
        )
    thresholds = thresholds or load_thresholds()
    if thresholds is None:
        return QualityReport(checked=False)
    shown = in_proportion(pixels, spacing)
    if found := proportions.find_wrong_shape(pixels, shown, spacing):
        return QualityReport((found,))
    pixels = shown
    step = max(pixels.shape[:2]) // MOST_SIDE or 1  # features need only 128
    pixels = pixels[::step, ::step]
    if found := _mask(pixels):
        return QualityReport((found,))
    values = head_features.resize(pixels)
    if found := _inverted(pixels, values, thresholds):
        # One channel of a slice may be inverted, but then another shows the head as it is.
        if found.severity == "fault" and not _shows_alone(values, thresholds):
            found = colors.finding(values)
        return QualityReport((found,))
    figures = head_features.compute(values)
    if figures["top"] < DARK:
        return QualityReport((_dark(pixels, figures["top"], thresholds),))
    if found := _drawn(pixels):
        return QualityReport((found,))
    # A wrong range of gray comes first: it may be the reason why a head is not recognized.
    ranges = _range(pixels, thresholds)
    # A slice that lacks a sequence may be overexposed, too.
    spoiled = any(each.kind in ("washed_out", "wrapped") for each in ranges)
    if colors.is_strong(values, spoiled) and not _shows_alone(values, thresholds):
        return QualityReport((colors.finding(values), *ranges))
    score = _score(figures, thresholds)
    limit = thresholds.values["colored" if colors.is_colored(values) else "head"]
    if score < limit:
        washed = next((each for each in ranges if each.correction), None)
        corrected = corrections.CORRECTIONS[washed.correction][1](pixels) if washed else None
        if washed and _fits(corrected, thresholds):
            # A head that fills the picture has no black around it either, and no correction adds it.
            return QualityReport((washed, *cropping.find_cropping(corrected, thresholds)))
        if found := _in_a_picture(pixels, thresholds):
            return QualityReport((found,))
        # Clipping at white may be the reason; it is reported too, and no correction undoes it.
        return QualityReport(
            (_out_of_distribution(pixels, figures, score, limit, thresholds), *ranges)
        )
    return QualityReport(
        (
            *ranges,
            *cropping.find_cropping(pixels, thresholds),
            *channels.find_channel_faults(pixels, values, thresholds),
        )
    )


def _shows_alone(values: np.ndarray, thresholds: Thresholds) -> bool:
    """Return whether one of the channels alone looks like a head."""
    each = (np.repeat(values[..., channel, None], 3, axis=2) for channel in range(3))
    figures = (head_features.compute(part) for part in each)
    return any(f["top"] >= DARK and _score(f, thresholds) >= LEAST_ALONE for f in figures)


def _score(figures: dict[str, float], thresholds: Thresholds) -> float:
    return float(thresholds.head.score(np.array([list(figures.values())]))[0])


def _fits(pixels: np.ndarray, thresholds: Thresholds) -> bool:
    figures = head_features.compute(head_features.resize(pixels))
    return figures["top"] >= DARK and _score(figures, thresholds) >= thresholds.values["head"]


def _mask(pixels: np.ndarray) -> Finding | None:
    low, high = int(pixels.min()), int(pixels.max())
    if (
        high == low
        or not channels.nearly_equal(pixels, 0, 1)
        or not channels.nearly_equal(pixels, 1, 2)
    ):
        return None
    level = pixels[..., 0]
    step = 0.1 * (high - low)
    between = float(((level > low + step) & (level < high - step)).mean())
    white = float((level > (low + high) / 2).mean())
    # JPEG blurs the border of a mask; in a slice, most pixels are between black and white.
    if between > 0.01 or low > 0 or high - low == 1 and between == 0 and high != 1:
        return None
    if white < 1e-4:
        return None
    return Finding(
        "mask",
        "stop",
        "This looks like a mask, not like a slice: it is black and white without gray.",
        f"{100 * (1 - between):.1f}% of its pixels are one of two values, {100 * white:.1f}% are "
        "the bright one.",
    )


def _inverted(pixels: np.ndarray, values: np.ndarray, thresholds: Thresholds) -> Finding | None:
    small = head_features.resize_unpadded(pixels)
    edges = [float(np.median(head_features.border(small[..., c]))) for c in range(3)]
    bright = [c for c in range(3) if edges[c] > thresholds.values["inverted"]]
    if not bright:
        return None
    whole = len(bright) == 3
    name = "invert" if whole else f"invert{bright[0]}"
    if not _fits(corrections.CORRECTIONS[name][1](pixels), thresholds):
        return None
    what = "This picture" if whole else f"The channel of {CHANNELS[bright[0]]}"
    return Finding(
        "inverted",
        "stop" if whole else "fault",
        f"{what} looks inverted: what should be black around the head is bright.",
        f"Half of the outermost pixels are above {edges[bright[0]]:.0f} of 255; half of all pixels "
        f"are above {np.median(pixels[..., bright[0]]):.0f}.",
        name,
    )


def _dark(pixels: np.ndarray, top: float, thresholds: Thresholds) -> Finding:
    evidence = f"Its brightest pixels reach {255 * top:.0f} of 255."
    stretched = corrections.stretch(pixels)
    head = head_features.find_head(head_features.mean_of_channels(head_features.resize(stretched)))
    large = head is not None and head.mask.mean() >= channel_features.LEAST_AREA
    if large and _fits(stretched, thresholds):
        text = "This slice is far too dark: most of the range of gray is not used."
        return Finding("dark", "fault", text, evidence, "stretch")
    text = "There is next to nothing in this slice: air, or the very end of a head."
    return Finding("empty", "note", text, evidence)


def _range(pixels: np.ndarray, thresholds: Thresholds) -> list[Finding]:
    found = []
    flair = pixels[..., FLAIR]
    low = float(np.percentile(flair, 1))
    if low > thresholds.values["washed_out"]:
        text = "This slice is washed out: nothing in it is black, not even the air around the head."
        evidence = f"99% of its FLAIR pixels are above {low:.0f} of 255."
        found.append(Finding("washed_out", "fault", text, evidence, "stretch"))
    full = max(float((pixels[..., c] >= 250).mean()) for c in range(3))
    if full > thresholds.values["overexposed"]:
        text = (
            "This slice is overexposed: its bright parts were cut off at white, and what they showed "
            "cannot be recovered. Export it again with a wider window."
        )
        evidence = f"{100 * full:.1f}% of the pixels of a channel are white."
        found.append(Finding("overexposed", "fault", text, evidence))
    jumps = _jumps(flair)
    # In a smaller slice, edges take a larger fraction of the pixels and are steeper.
    if jumps > thresholds.values["wrapped"] * max(1.0, _USUAL_SIDE / min(flair.shape)) ** 2:
        text = (
            "The values of this slice seem to have overflowed: what was brighter than white starts over "
            "at black. Export it again as 8 bits with scaling."
        )
        evidence = f"{100 * jumps:.2f}% of neighboring pixels differ by more than half the range."
        found.append(Finding("wrapped", "fault", text, evidence))
    return found


MOST_LEVELS = 16
"""Maximum number of gray levels in a channel of a drawing; scanners produce more."""

_USUAL_SIDE = 256
"""Side in pixels of the slices on which the threshold of jumps was chosen."""


def _jumps(level: np.ndarray) -> float:
    values = level.astype(np.int16)
    across = np.abs(np.diff(values, axis=1)) > 127
    return float((across.mean() + (np.abs(np.diff(values, axis=0)) > 127).mean()) / 2)


def _in_a_picture(pixels: np.ndarray, thresholds: Thresholds) -> Finding | None:
    part = screenshot.find_slice(pixels)
    if part is None or not _fits(np.ascontiguousarray(pixels[part]), thresholds):
        return None
    rows, cols = (each.stop - each.start for each in part)
    text = (
        "This looks like a screenshot with a slice in it. The networks need the slice alone: cut it out "
        "with one click, or export it from your viewer as PNG or DICOM."
    )
    evidence = (
        f"A part of {rows} × {cols} pixels stands out from its surroundings, and it looks like a slice "
        f"of a head; the whole has {pixels.shape[0]} × {pixels.shape[1]}."
    )
    return Finding("screenshot", "stop", text, evidence, "crop")


def _drawn(pixels: np.ndarray) -> Finding | None:
    """Return a finding for a picture with few colors, which no scanner produces."""
    used = [cv2.calcHist([pixels], [channel], None, [256], [0, 256]) > 0 for channel in range(3)]
    levels = max(np.count_nonzero(each) for each in used)
    if levels > MOST_LEVELS:
        return None
    text = (
        "This is a drawing or a label map, not an MRI slice: it has flat colors and no shades. "
        "No mask is drawn."
    )
    evidence = (
        f"Its channels have at most {levels} different values; slices have hundreds of shades."
    )
    return Finding("not_a_brain", "stop", text, evidence)


def _out_of_distribution(
    pixels: np.ndarray,
    figures: dict[str, float],
    score: float,
    limit: float,
    thresholds: Thresholds,
) -> Finding:
    gray = channels.nearly_equal(pixels, 0, 1) and channels.nearly_equal(pixels, 1, 2)
    evidence = (
        f"Its score by {len(figures)} figures is {score:.1f}; slices of a head reach "
        f"{limit:.1f} or more. Three of them: {100 * figures['border_bright']:.0f}% "
        f"of the border is bright, what is bright agrees to {100 * figures['ellipse']:.0f}% with an "
        f"ellipse, left with right to {100 * max(0.0, figures['symmetry']):.0f}%."
    )
    rim = max(figures["ring0"], figures["ring1"]) / max(0.05, figures["ring4"])
    if gray and rim > thresholds.values["ct_rim"] and figures["border_bright"] < 0.2:
        text = (
            "This looks like a CT, not like an MRI: one gray channel with a rim as bright as bone. The "
            "networks were never trained on CT, so no mask is drawn."
        )
        evidence = f"The rim is {rim:.1f} times as bright as the middle. {evidence}"
        return Finding("ct", "stop", text, evidence)
    text = (
        "This does not look like an MRI slice of a head, which is all that the networks know: no mask "
        "is drawn. Upload an axial slice as your scanner or viewer exports it, with nothing around it."
    )
    return Finding("not_a_brain", "stop", text, evidence)
