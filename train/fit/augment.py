"""Random augmentation of a slice and its mask, within the variation of scanners and patients."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from btmodels.slices import FLAIR

_LEVELS = np.arange(256, dtype=np.float32) / 255.0


@dataclass(frozen=True)
class Augmentation:
    """Augmentation beyond that of every network's training.

    Attributes:
        strength: Factor on the ranges of `warp` and `change_intensities`.
        paste: Probability of pasting another patient's lesion into a slice.
        nnunet: Whether to add nnU-Net's further augmentation.
        soft_edges: Standard deviation of the Gaussian that blurs the target mask, in 256ths of the
            slice's rows.
        volume: Probability of standardizing a slice with the statistics of its patient's whole stack.
        leave_out: Share of slices left out of each epoch for the fifth of patients with the least
            consistent masks.
    """

    strength: float = 1.0
    paste: float = 0.0
    nnunet: bool = False
    soft_edges: float = 0.0
    volume: float = 0.0
    leave_out: float = 0.0


NOTHING_MORE = Augmentation()


def warp(
    pixels: np.ndarray, mask: np.ndarray, rng: np.random.Generator, strength: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Mirror, rotate (+-17 degrees), scale (+-20%) and shift (+-8%) a slice and its mask.

    Args:
        pixels: uint8, (size, size, 3).
        mask: uint8, (size, size), 0 to 255.
        rng: Random generator.
        strength: Factor on these ranges, below 5.
    """
    size = pixels.shape[0]
    if rng.random() < 0.5:
        pixels, mask = pixels[:, ::-1], mask[:, ::-1]
    middle = (size - 1) / 2
    matrix = cv2.getRotationMatrix2D(
        (middle, middle), strength * rng.uniform(-17, 17), 1 + strength * rng.uniform(-0.2, 0.2)
    )
    matrix[:, 2] += strength * rng.uniform(-0.08, 0.08, 2) * size
    pixels, mask = (
        cv2.warpAffine(np.ascontiguousarray(plane), matrix, (size, size), flags=cv2.INTER_LINEAR)
        for plane in (pixels, mask)
    )
    return pixels, mask


def change_intensities(
    pixels: np.ndarray, rng: np.random.Generator, strength: float = 1.0
) -> np.ndarray:
    """Change contrast as scanners do: gamma per channel, and sometimes a missing sequence, a bias
    field, noise or blur.

    Args:
        pixels: uint8, (size, size, 3).
        rng: Random generator.
        strength: Factor on the ranges of gamma, bias field, and noise.

    Returns:
        float32, (size, size, 3), 0 to 255.
    """
    planes = list(cv2.split(pixels))
    for channel in (0, 2):
        if rng.random() < 0.08:  # the data set replaces a missing sequence with FLAIR
            planes[channel] = planes[FLAIR]
    gammas = np.exp(strength * rng.uniform(-0.4, 0.4, 3)).astype(np.float32)
    values = cv2.merge(
        [
            cv2.LUT(plane, 255.0 * _LEVELS**gamma)
            for plane, gamma in zip(planes, gammas, strict=True)
        ]
    )
    size = values.shape[0]
    if rng.random() < 0.25:
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        slope = (strength * rng.uniform(-0.25, 0.25, 2)).astype(np.float32)
        values *= (1 + slope[0] * ramp[:, None] + slope[1] * ramp)[..., None]
    if rng.random() < 0.15:
        values = cv2.GaussianBlur(values, (0, 0), rng.uniform(0.4, 1.0) * size / 256)
    if rng.random() < 0.2:
        sigma = np.float32(strength * rng.uniform(1, 8))
        values += sigma * rng.standard_normal(values.shape, dtype=np.float32)
    return np.clip(values, 0, 255, out=values)


def fade_lesion(values: np.ndarray, mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Move a lesion's intensities toward the tissue around it, or sometimes away from it.

    Segmenters fail on faint lesions, of which seventy patients have few. In each channel the lesion's
    mean keeps between 40 and 130% of its distance from the mean of the rest of the head; its texture
    stays.

    Args:
        values: float32, (size, size, 3), 0 to 255; changed in place.
        mask: uint8, (size, size), 0 to 255.
        rng: Random generator.
    """
    keep = rng.uniform(0.4, 1.3, 3)
    inside = mask > 127
    if not inside.any():
        return values
    size = values.shape[0]
    soft = cv2.GaussianBlur(mask, (0, 0), size / 128).astype(np.float32) / np.float32(255)
    for channel in range(3):
        plane = values[..., channel]
        around = plane[~inside & (plane > 20)]
        if around.size:
            shift = (keep[channel] - 1) * (plane[inside].mean() - around.mean())
            plane += soft * np.float32(shift)
    return np.clip(values, 0, 255, out=values)
