"""Augmentation of nnU-Net (Isensee et al. 2021, Nat Methods 18:203, supplement) that `train.fit.augment`
lacks: elastic deformation, low resolution, contrast, brightness, inverted gamma.

Changes of intensity take and return a slice, float32, (size, size, 3), 0 to 255; ``rng`` is the random
generator.
"""

from __future__ import annotations

import cv2
import numpy as np


def deform(
    pixels: np.ndarray, mask: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Deform a slice and its mask by a smooth random field (Simard, Steinkraus, Platt 2003).

    Args:
        pixels: uint8, (size, size, 3).
        mask: uint8, (size, size), 0 to 255.
        rng: Random generator.

    Returns:
        New arrays of the same kind; pixels move by at most about 5% of ``size``.
    """
    size = pixels.shape[0]
    # Enlarged coarse fields are as smooth as blurred fine ones, at a fraction of the time.
    coarse = int(rng.integers(4, 9))
    reach = rng.uniform(0.005, 0.02) * size
    rows, cols = np.mgrid[:size, :size].astype(np.float32)
    moved = [
        axis
        + cv2.resize(
            np.clip(rng.standard_normal((coarse, coarse), dtype=np.float32), -2, 2) * reach,
            (size, size),
            interpolation=cv2.INTER_CUBIC,
        )
        for axis in (cols, rows)
    ]
    pixels, mask = (
        cv2.remap(np.ascontiguousarray(plane), *moved, interpolation=cv2.INTER_LINEAR)
        for plane in (pixels, mask)
    )
    return pixels, mask


def lower_resolution(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Downsample a slice by up to a half and enlarge it again."""
    size = values.shape[0]
    small = max(int(size * rng.uniform(0.5, 1.0)), 1)
    shrunk = cv2.resize(values, (small, small), interpolation=cv2.INTER_NEAREST)
    return np.clip(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_CUBIC), 0, 255)


def change_contrast(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Scale each channel around its mean by 0.65 to 1.5, within its own range."""
    mean = values.mean(axis=(0, 1))
    low, high = values.min(axis=(0, 1)), values.max(axis=(0, 1))
    return np.clip((values - mean) * _factors(rng, 0.65, 1.5) + mean, low, high)


def change_brightness(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Multiply each channel by 0.7 to 1.3."""
    return np.clip(values * _factors(rng, 0.7, 1.3), 0, 255)


def invert_gamma(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply a gamma of 0.7 to 1.5 to the negative of a slice."""
    return 255 * (1 - (1 - values / np.float32(255)) ** _factors(rng, 0.7, 1.5))


def degrade(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Apply each intensity augmentation with nnU-Net's probability."""
    for chance, change in (
        (0.15, change_brightness),
        (0.15, change_contrast),
        (0.25, lower_resolution),
        (0.1, invert_gamma),
    ):
        if rng.random() < chance:
            values = change(values, rng)
    return values


def _factors(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    return rng.uniform(low, high, 3).astype(np.float32)
