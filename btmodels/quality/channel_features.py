"""Features of a slice's channels that indicate whether the channels are in the right order."""

from __future__ import annotations

from itertools import combinations, permutations

import cv2
import numpy as np

from btmodels.quality.head_features import BANDS, find_head, mean_of_channels

ORDERS = tuple(permutations(range(3)))
"""Every order of three channels, the right one first."""

LEAST_AREA = 0.08
"""Minimum area of a head as a fraction of the picture."""

_LIMITS = (0.0, 0.08, 0.2, 0.4, 0.7, 1.01)


def compute(values: np.ndarray) -> np.ndarray | None:
    """Return the features of each possible order of the channels.

    Args:
        values: float32, (rows, cols, 3), 0 to 255, from `btmodels.quality.head_features.resize`.

    Returns:
        float64, (6, features), in the order of `ORDERS`; None if too little is visible.
    """
    head = find_head(mean_of_channels(values))
    if head is None or head.mask.mean() < LEAST_AREA:
        return None
    mask = head.mask
    inside = values[mask]
    deviation = inside.std(axis=0)
    if deviation.min() < 1.0:
        return None
    unit = (values - inside.mean(axis=0)) / deviation
    bands = _bands(mask)
    each = [_channel(unit[..., i], mask, bands) for i in range(3)]
    soft = cv2.GaussianBlur(unit, (0, 0), 1.5)
    detail = unit - soft
    pair = {}
    for a, b in combinations(range(3), 2):
        product, fine, spread, low, high, skew = _pair(unit, detail, mask, a, b)
        pair[a, b] = [product, fine, spread, low, high, skew]
        pair[b, a] = [product, fine, spread, -high, -low, -skew]
    return np.array(
        [
            [*each[a], *each[b], *each[c], *pair[a, b], *pair[b, c], *pair[a, c]]
            for a, b, c in ORDERS
        ],
        np.float64,
    )


def _bands(mask: np.ndarray) -> list[np.ndarray]:
    framed = cv2.copyMakeBorder(mask.view(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    depth /= max(1.0, float(depth.max()))
    return [mask & (depth > _LIMITS[i]) & (depth <= _LIMITS[i + 1]) for i in range(BANDS)]


def _channel(unit: np.ndarray, mask: np.ndarray, bands: list[np.ndarray]) -> list[float]:
    values = unit[mask]
    found = [float(v) for v in np.percentile(values, (2, 10, 25, 50, 75, 90, 98))]
    square = values * values  # NumPy's power is many times slower for exponents above 2
    found += [
        float(np.clip((square * values).mean(), -5, 5)),
        float(np.clip((square * square).mean(), 0, 15)),
    ]
    for band in bands:
        inside = unit[band]
        found += [float(inside.mean()), float(inside.std())] if inside.size else [0.0, 0.0]
    steep = np.hypot(cv2.Sobel(unit, cv2.CV_32F, 1, 0), cv2.Sobel(unit, cv2.CV_32F, 0, 1))
    found += [float(steep[band].mean()) if band.any() else 0.0 for band in bands]
    return found


def _pair(unit: np.ndarray, detail: np.ndarray, mask: np.ndarray, a: int, b: int) -> list[float]:
    one, other = unit[..., a][mask], unit[..., b][mask]
    difference = other - one
    spread = max(0.05, float(difference.std()))
    low, high = np.percentile(difference, (1, 99))
    relative = difference / spread
    fine = [detail[..., i][mask] for i in (a, b)]
    size = float(np.sqrt((fine[0] ** 2).mean() * (fine[1] ** 2).mean()))
    return [
        float((one * other).mean()),
        float((fine[0] * fine[1]).mean()) / max(1e-6, size),
        spread,
        float(low),
        float(high),
        float(np.clip((relative * relative * relative).mean(), -5, 5)),
    ]
