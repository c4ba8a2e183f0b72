"""Render slices: sample the head, turn tissue into signal, scan it, and scale it to bytes."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import ndimage

from btmodels.slices import FLAIR
from btmodels.transforms.postprocess import head_mask
from train.cohort.anatomy import Template
from train.cohort.fields import Noise
from train.cohort.figures import DECILES, Reference
from train.cohort.head import Head
from train.cohort.lesions import Lesion
from train.cohort.patients import HIGHEST, LOWEST, SyntheticPatient, Variation, sample_variation
from train.cohort.physics import CODES, acquire, signals

LEAST_LESION = 50
"""No expert outlines less of a lesion than this many pixels in a slice of 256 x 256."""

_ROOM = 0.35
"""Unused share of the admissible gains at either end."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """A synthetic patient's slices, from base to vertex.

    Attributes:
        pixels: uint8, (slices, rows, cols, 3), 0 to 255, channels pre, FLAIR, post.
        masks: bool, (slices, rows, cols).
    """

    pixels: np.ndarray
    masks: np.ndarray


def render(
    person: SyntheticPatient,
    template: Template,
    reference: Reference,
    rng: np.random.Generator,
    size: int = 256,
    oversample: int = 2,
) -> Rendered:
    """Make a patient's slices.

    Args:
        person: The patient to make.
        template: The brain to start from.
        reference: Required intensity ranges of the channels.
        rng: Random generator of the patient.
        size: Rows and columns of a slice.
        oversample: Points per pixel at each height within a slice.
    """
    chance = sample_variation(person, rng)
    head = Head(template, chance.build, rng)
    lesions = [Lesion(template, plan, rng) for plan in person.plans]
    tables = [signals(sequence, chance.spread) for sequence in chance.sequences]
    shades = [Noise(rng, 150) for _ in range(3)]
    seeds = rng.integers(0, 2**63, person.num_slices)

    step = (HIGHEST - LOWEST) / (person.num_slices - 1)
    pictures, masks = [], []
    for index in range(person.num_slices):
        own = np.random.default_rng(seeds[index])
        heights = LOWEST + index * step + _offsets(step)
        signal, mask = _sample(head, lesions, tables, chance, heights, size, oversample)
        signal *= _shade(shades, chance, float(heights.mean()), size)
        for channel, table in enumerate(tables):
            moved = ndimage.shift(signal[channel], chance.shifts[channel], order=1)
            unit = float(table[CODES["white"]])
            signal[channel] = acquire(moved, chance.scanners[channel], unit, own) / unit
        pictures.append(signal)
        masks.append(_outline(mask))
    stack = np.stack(pictures)
    for channel in person.stand_ins:
        stack[:, channel] = stack[:, FLAIR]
    return Rendered(_to_bytes(stack, chance, reference), np.stack(masks))


def _offsets(step: float) -> np.ndarray:
    """Return heights within a slice's thickness; a tenth of the step is the gap between slices."""
    count = 3 if step > 3.5 else 2
    return (np.arange(count) - (count - 1) / 2) / count * 0.9 * step


def _sample(head, lesions, tables, chance: Variation, heights, size, oversample):
    """Return the mean signal (3, rows, cols) and the lesions' share (rows, cols) over a slice's volume."""
    count = size * size * oversample
    total, share = np.zeros((3, count), np.float32), np.zeros(count, np.float32)
    for level, height in enumerate(heights):
        points = _points(chance, height, size, oversample, level)
        hull = head.template.from_hull(points)
        # Only face and neck lie far from the hull, and no part of the head beyond them.
        near = np.flatnonzero((hull < 24) | ((points[2] < 14) & (hull < 75)))
        points = points[:, near]
        for lesion in lesions:
            points = lesion.displace(points)
        field = head.field_at(head.bend(points))
        depth = head.depth(field)
        within = depth > 0
        near, field = near[within], field.part(within)
        tissues = head.tissues(field, depth[within])
        values = np.stack([
            table[tissues.code] * (1 - tissues.share) + table[tissues.other] * tissues.share
            for table in tables
        ])  # fmt: skip
        values[FLAIR] *= tissues.texture
        marked = np.zeros(len(near), bool)
        for lesion in lesions:
            part = lesion.near(field.points)
            over = lesion.overlay(field.points[:, part], tissues.code[part])
            for channel, table in enumerate(tables):
                # Tissue with a long T2 mostly has a long T1: bright on FLAIR, slightly darker on T1.
                texture = over.texture if channel == FLAIR else (2 - over.texture) ** 0.5
                own = table[over.code] * texture
                values[channel, part] = values[channel, part] * (1 - over.share) + own * over.share
            marked[part] |= over.inside
        total[:, near] += values
        share[near] += marked
    mean = total.reshape(3, size, size, oversample).mean(3) / len(heights)
    return mean, share.reshape(size, size, oversample).mean(2) / len(heights)


def _points(chance: Variation, height: float, size: int, oversample: int, level: int) -> np.ndarray:
    """Return ``oversample`` points for each pixel, in the template's axes before any bending, (3, n).

    A pixel's points lie on a diagonal, so that no two share a row or column; the diagonal
    alternates between levels.
    """
    pitch = chance.pixel * 256 / size
    middle = (np.arange(size) - (size - 1) / 2) * pitch
    shift = ((np.arange(oversample) + 0.5) / oversample - 0.5) * pitch
    across = shift if level % 2 else shift[::-1]
    rows = middle[:, None, None] + shift[None, None, :] - chance.center[0] * chance.pixel
    cols = middle[None, :, None] + across[None, None, :] - chance.center[1] * chance.pixel
    # Radiological convention: the patient's left, where x is negative, is on the right of the picture.
    flat = np.stack(np.broadcast_arrays(-cols, -rows - 12, np.float64(height))).reshape(3, -1)
    return ((chance.turn @ flat) * chance.scale[:, None]).astype(np.float32)


def _shade(shades: list[Noise], chance: Variation, height: float, size: int) -> np.ndarray:
    """Return the coils' bias field, a factor near 1, (3, rows, cols)."""
    # The field is so smooth that one point in eight suffices.
    few = max(size // 8, 2)
    points = _points(chance, height, few, 1, 0)
    outward = 0.0000065 * (points**2).sum(0)
    rough = [np.exp(0.13 * shade(points) + outward).reshape(few, few) for shade in shades]
    return np.stack(
        [cv2.resize(each, (size, size), interpolation=cv2.INTER_CUBIC) for each in rough]
    )


def _outline(share: np.ndarray) -> np.ndarray:
    """Outline a lesion as an expert would: one smooth line around each part, no tiny parts."""
    mask = ndimage.gaussian_filter(share, 0.8) > 0.5
    mask = ndimage.binary_fill_holes(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = ndimage.sum_labels(mask, labels, np.arange(count + 1))
    return mask & (sizes >= LEAST_LESION * mask.size / 256**2)[labels]


def _to_bytes(stack: np.ndarray, chance: Variation, reference: Reference) -> np.ndarray:
    """Scale each channel by one gain so that its deciles in the head lie in the reference's range.

    Args:
        stack: Signal in units of white matter, (slices, 3, rows, cols).

    Returns:
        uint8, (slices, rows, cols, 3).
    """
    rough = np.clip(np.moveaxis(stack, 1, -1) * 60, 0, 255).astype(np.uint8)
    heads = np.stack([head_mask(pixels) for pixels in rough])
    gains = []
    for channel in range(3):
        deciles = np.percentile(stack[:, channel][heads], DECILES)
        low = (np.array(reference.low[channel]) + 1) / np.maximum(deciles, 1e-6)
        high = (np.array(reference.high[channel]) - 1) / np.maximum(deciles, 1e-6)
        least, most = low.max(), high.min()
        if least >= most:
            raise ValueError(
                f"No gain brings channel {channel} into the reference's range: at least "
                f"{least:.1f} and at most {most:.1f} levels to white matter's signal."
            )
        part = _ROOM + (1 - 2 * _ROOM) * chance.level[channel]
        # Interpolate geometrically, since a gain is a factor.
        gains.append(least * (most / least) ** part)
    same = np.array([np.array_equal(stack[:, c], stack[:, FLAIR]) for c in range(3)])
    gains = np.where(same, gains[FLAIR], gains)
    scaled = np.moveaxis(stack, 1, -1) * gains
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
