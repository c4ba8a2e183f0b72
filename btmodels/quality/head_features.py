"""Features of a picture that distinguish a slice of a head from anything else.

All are computed at `SIZE` pixels, so that they are comparable for any input and take a few milliseconds.
The classifier that `python -m train quality` fits uses those of `compute`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from btmodels.transforms.preprocess import fit_to

SIZE = 128
"""Rows and columns of the picture from which features are computed."""

FRAME = 2
"""Width of the border that is searched for a cropped head."""

BANDS = 5
"""Number of bands from the head's edge to its center."""

_EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class HeadRegion:
    """The largest bright region of a picture, with holes filled.

    Attributes:
        mask: bool, (SIZE, SIZE).
        contour: Points of its outline, int32, (n, 1, 2).
        rest: Fraction of the bright pixels outside it, 0 to 1.
        separability: Between-class over total variance of Otsu's threshold, 0 to 1.
    """

    mask: np.ndarray
    contour: np.ndarray
    rest: float
    separability: float


def resize(pixels: np.ndarray) -> np.ndarray:
    """Return a slice at `SIZE`: float32, (SIZE, SIZE, 3), 0 to 255."""
    return fit_to(pixels, (SIZE, SIZE)).astype(np.float32)


def resize_unpadded(pixels: np.ndarray) -> np.ndarray:
    """Return a slice at `SIZE` without the padding of `resize`, so that its edges stay at the border."""
    size = (SIZE, SIZE)
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.float32)


def mean_of_channels(values: np.ndarray) -> np.ndarray:
    """Return the mean of three channels, (rows, cols, 3) -> (rows, cols), float32.

    NumPy's own mean along so short an axis takes many times as long.
    """
    return cv2.transform(values, np.full((1, 3), 1 / 3, np.float32))


def brightest_channel(values: np.ndarray) -> np.ndarray:
    """Return the maximum of three channels, (rows, cols, 3) -> (rows, cols)."""
    return np.maximum(np.maximum(values[..., 0], values[..., 1]), values[..., 2])


def find_head(gray: np.ndarray) -> HeadRegion | None:
    """Find the largest bright region of a gray picture.

    Args:
        gray: float32, (SIZE, SIZE), 0 to 255.

    Returns:
        None if the picture is flat.
    """
    levels = np.rint(np.clip(gray, 0, 255)).astype(np.uint8)
    if int(levels.max()) - int(levels.min()) < 2:
        return None
    limit, bright = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    found, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(found, key=cv2.contourArea)
    mask = cv2.drawContours(np.zeros_like(levels), [contour], -1, 1, cv2.FILLED).astype(bool)
    share = float(bright.mean())
    low, high = levels[bright == 0], levels[bright == 1]
    between = share * (1 - share) * (float(high.mean()) - float(low.mean())) ** 2
    rest = float((bright.astype(bool) & ~mask).sum() / max(1, bright.sum()))
    return HeadRegion(mask, contour, rest, between / max(_EPSILON, float(levels.var())))


def compute(values: np.ndarray) -> dict[str, float]:
    """Return the features that indicate whether a picture is a slice of a head.

    Args:
        values: From `resize`.

    Returns:
        Finite numbers by name, always in the same order.
    """
    gray = mean_of_channels(values)
    top = max(1.0, float(np.percentile(gray, 99.5)))
    unit = np.minimum(gray / top, 1.0)
    head = find_head(gray)
    mask = np.ones(gray.shape, bool) if head is None else head.mask
    figures = {"top": top / 255}
    figures |= _frame(unit)
    figures |= _form(head)
    figures |= _symmetry(unit, mask)
    figures |= _histogram(unit, mask, gray)
    figures |= _texture(unit, mask)
    figures |= _rings(unit, mask)
    figures |= _spectrum(unit)
    figures |= _channels(values, mask, top)
    return {key: float(value) for key, value in figures.items()}


def border(gray: np.ndarray) -> np.ndarray:
    """Return the pixels of the outermost `FRAME` rows and columns, flattened."""
    inner = np.zeros(gray.shape, bool)
    inner[FRAME:-FRAME, FRAME:-FRAME] = True
    return gray[~inner]


def _frame(unit: np.ndarray) -> dict[str, float]:
    edge = border(unit)
    k = SIZE // 10
    corners = [unit[:k, :k], unit[:k, -k:], unit[-k:, :k], unit[-k:, -k:]]
    means = [float(corner.mean()) for corner in corners]
    return {
        "border_mean": edge.mean(),
        "border_bright": (edge > 0.2).mean(),
        "corner_mean": float(np.mean(means)),
        "corner_worst": max(means),
    }


def _form(head: HeadRegion | None) -> dict[str, float]:
    names = ("area", "solidity", "ellipse", "aspect", "offset", "rest", "separability")
    if head is None or len(head.contour) < 5:
        return dict.fromkeys(names, 0.0)
    area = float(head.mask.mean())
    hull = cv2.convexHull(head.contour)
    filled = cv2.drawContours(np.zeros((SIZE, SIZE), np.uint8), [hull], -1, 1, cv2.FILLED)
    (x, y), axes, angle = cv2.fitEllipse(head.contour)
    axes = [min(max(float(axis), 1.0), 4.0 * SIZE) for axis in axes]
    drawn = np.zeros((SIZE, SIZE), np.uint8)
    center = (int(np.clip(x, -SIZE, 2 * SIZE)), int(np.clip(y, -SIZE, 2 * SIZE)))
    half = (max(1, round(axes[0] / 2)), max(1, round(axes[1] / 2)))
    cv2.ellipse(drawn, center, half, float(angle), 0, 360, 1, cv2.FILLED)
    both = (drawn.astype(bool) & head.mask).sum()
    either = (drawn.astype(bool) | head.mask).sum()
    rows, cols = np.nonzero(head.mask)
    middle = (SIZE - 1) / 2
    offset = math.hypot(rows.mean() - middle, cols.mean() - middle) / SIZE
    values = (
        area,
        head.mask.sum() / max(1, int(filled.sum())),
        both / max(1, int(either)),
        min(axes) / max(axes),
        offset,
        head.rest,
        head.separability,
    )
    return dict(zip(names, values, strict=True))


def _symmetry(unit: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    # Mirror at the vertical line through the head's center; heads are nearly upright.
    cols = np.nonzero(mask)[1]
    shift = 2 * float(cols.mean()) - (SIZE - 1)
    matrix = np.float32([[-1, 0, SIZE - 1 + shift], [0, 1, 0]])
    soft = cv2.GaussianBlur(unit, (0, 0), 2.0)
    mirrored = cv2.warpAffine(soft, matrix, (SIZE, SIZE))
    return {
        "symmetry": _correlation(soft[mask], mirrored[mask]),
        "symmetry_whole": _correlation(soft.ravel(), mirrored.ravel()),
    }


def _histogram(unit: np.ndarray, mask: np.ndarray, gray: np.ndarray) -> dict[str, float]:
    inside, outside = unit[mask], unit[~mask]
    mean, deviation = float(inside.mean()), float(inside.std())
    centered = (inside - mean) / max(deviation, 0.01)
    square = centered * centered  # NumPy's power is many times slower for exponents above 2
    counts = np.bincount(np.rint(gray[mask]).astype(np.int64), minlength=256)
    shares = counts[counts > 0] / max(1, counts.sum())
    return {
        "inside_mean": mean,
        "inside_deviation": deviation,
        "inside_skew": float(np.clip((centered * square).mean(), -5, 5)),
        "inside_kurtosis": float(np.clip((square * square).mean(), 0, 15)),
        "inside_entropy": float(-(shares * np.log2(shares)).sum()) / 8,
        "inside_mode": float(shares.max()),
        "inside_full": float((inside > 0.97).mean()),
        "outside_mean": float(outside.mean()) if outside.size else 0.0,
        "outside_deviation": float(outside.std()) if outside.size else 0.0,
    }


def _texture(unit: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    kernel = np.ones((5, 5), np.uint8)
    core = cv2.erode(mask.view(np.uint8), kernel, borderValue=0).astype(bool)
    core = core if core.sum() > 50 else mask
    dx, dy = np.zeros_like(unit), np.zeros_like(unit)
    dx[:, 1:] = unit[:, 1:] - unit[:, :-1]
    dy[1:] = unit[1:] - unit[:-1]
    size = np.hypot(dx, dy)
    laplacian = cv2.Laplacian(unit, cv2.CV_32F)
    spread = max(0.02, float(unit[core].std()))
    along = float(np.abs(dx[core]).mean()) + _EPSILON
    down = float(np.abs(dy[core]).mean()) + _EPSILON
    return {
        "gradient": float(size[core].mean()) / spread,
        "gradient_flat": float((size[core] < 0.005).mean()),
        "gradient_steep": float((size[core] > 0.25).mean()),
        "gradient_outside": float(size[~mask].mean()) if (~mask).any() else 0.0,
        "laplacian": min(5.0, float(laplacian[core].std()) / spread),
        "direction": abs(math.log(along / down)),
    }


def _rings(unit: np.ndarray, mask: np.ndarray) -> dict[str, float]:
    # From the edge inwards: scalp, the dark ring of the skull, brain, ventricles.
    framed = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    deepest = max(1.0, float(depth.max()))
    mean = max(0.02, float(unit[mask].mean()))
    thresholds = (0.0, 0.08, 0.2, 0.4, 0.7, 1.01)
    figures = {}
    for band in range(BANDS):
        chosen = (
            mask & (depth > thresholds[band] * deepest) & (depth <= thresholds[band + 1] * deepest)
        )
        values = unit[chosen]
        figures[f"ring{band}"] = float(values.mean()) / mean if values.size else 1.0
        figures[f"ring{band}_deviation"] = float(values.std()) / mean if values.size else 0.0
    return figures


def _spectrum(unit: np.ndarray) -> dict[str, float]:
    window = np.hanning(SIZE).astype(np.float32)
    power = np.abs(np.fft.rfft2((unit - unit.mean()) * np.outer(window, window))) ** 2
    rows = np.fft.fftfreq(SIZE)[:, None] * SIZE
    cols = np.fft.rfftfreq(SIZE)[None] * SIZE
    radius = np.hypot(rows, cols)
    total = float(power.sum()) + _EPSILON
    thresholds = (0, 3, 6, 12, 24, 48, 200)
    figures = {}
    for i in range(len(thresholds) - 1):
        chosen = (radius >= thresholds[i]) & (radius < thresholds[i + 1])
        figures[f"spectrum{i}"] = math.log10(float(power[chosen].sum()) / total + 1e-6)
    fine = radius >= 12
    axial = fine & ((np.abs(rows) <= 1) | (np.abs(cols) <= 1))
    figures["spectrum_axial"] = float(power[axial].sum()) / (float(power[fine].sum()) + _EPSILON)
    return figures


def _channels(values: np.ndarray, mask: np.ndarray, top: float) -> dict[str, float]:
    spread = brightest_channel(values) + brightest_channel(-values)
    tint, outside = spread[mask], spread[~mask]
    details = cv2.split(values - cv2.GaussianBlur(values, (0, 0), 1.5))
    inside = [channel[mask] for channel in cv2.split(values)]
    detail = [channel[mask] for channel in details]
    pairs = ((0, 1), (1, 2), (0, 2))
    alike = sorted(_correlation(inside[a], inside[b]) for a, b in pairs)
    fine = sorted(_correlation(detail[a], detail[b]) for a, b in pairs)
    return {
        "tint": float(tint.mean()) / top,
        "tint_high": float(np.percentile(tint, 95)) / top,
        "tint_outside": float(outside.mean()) / top if outside.size else 0.0,
        "alike_least": alike[0],
        "alike_most": alike[2],
        "detail_least": fine[0],
        "detail_most": fine[2],
    }


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    one, other = one - one.mean(), other - other.mean()
    size = math.sqrt(float((one * one).sum()) * float((other * other).sum()))
    return float((one * other).sum()) / size if size > _EPSILON else 0.0
