"""From a person to slices: sample the head, turn tissue into signal, scan it, and scale it to bytes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from btmodels.measure import head_mask
from btmodels.slices import FLAIR
from train.cohort.anatomy import Template
from train.cohort.fields import Noise
from train.cohort.figures import DECILES, Reference
from train.cohort.head import Head
from train.cohort.lesions import Lesion
from train.cohort.people import HIGHEST, LOWEST, Draw, Person, draw
from train.cohort.physics import CODES, acquire, signals

LEAST_LESION = 50
"""No expert outlines less of a lesion than this many pixels in a slice of 256 x 256."""

_ROOM = 0.35
"""Share of the admissible gains that is left free at either end."""


@dataclass(frozen=True)
class Rendered:
    """A synthetic patient's slices, from base to vertex.

    Attributes:
        pixels: uint8, (slices, rows, cols, 3), 0 to 255, channels pre, FLAIR, post.
        masks: bool, (slices, rows, cols).
    """

    pixels: np.ndarray
    masks: np.ndarray


def render(
    person: Person,
    template: Template,
    reference: Reference,
    rng: np.random.Generator,
    size: int = 256,
    oversample: int = 2,
    only: list[int] | None = None,
) -> Rendered:
    """Make a patient's slices.

    Args:
        person: Who.
        template: The brain to start from.
        reference: Ranges of intensity that the channels must lie in.
        rng: Draws everything about the patient.
        size: Rows and columns of a slice.
        oversample: Points per pixel along rows and along columns.
        only: Indices of the slices to make; all where None.
    """
    chance = draw(person, rng)
    head = Head(template, chance.build, rng)
    lesions = [Lesion(template, plan, rng) for plan in person.plans]
    tables = [signals(sequence, chance.spread) for sequence in chance.sequences]
    shades = [Noise(rng, 150) for _ in range(3)]
    seeds = rng.integers(0, 2**63, person.num_slices)

    step = (HIGHEST - LOWEST) / (person.num_slices - 1)
    indices = range(person.num_slices) if only is None else only
    pictures, masks = [], []
    for index in indices:
        own = np.random.default_rng(seeds[index])
        heights = LOWEST + index * step + _offsets(step)
        signal, mask = _sample(head, lesions, tables, shades, chance, heights, size, oversample)
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
    """Heights within a slice's thickness; a tenth of the step is the gap between slices."""
    count = 3 if step > 3.5 else 2
    return (np.arange(count) - (count - 1) / 2) / count * 0.9 * step


def _sample(head, lesions, tables, shades, chance: Draw, heights, size, oversample):
    """Return mean signal (3, rows, cols) and the lesions' share (rows, cols) over a slice's volume."""
    count = size * oversample
    pitch = chance.pixel * 256 / count
    place = (np.arange(count) - (count - 1) / 2) * pitch
    # Radiological: the patient's left, where x is negative, lies at the picture's right.
    x = -(place - chance.center[1] * chance.pixel)[None, :]
    y = -(place - chance.center[0] * chance.pixel)[:, None] - 12
    total = np.zeros((3, count * count), np.float32)
    share = np.zeros(count * count, np.float32)
    for height in heights:
        flat = np.stack(np.broadcast_arrays(x, y, np.float64(height))).reshape(3, -1)
        points = ((chance.turn @ flat) * chance.scale[:, None]).astype(np.float32)
        hull = head.template.from_hull(points)
        # Far below the hull there is only face and neck; nothing of a head lies beyond.
        near = np.flatnonzero((hull < 24) | ((points[2] < 14) & (hull < 75)))
        for lesion in lesions:
            points[:, near] = lesion.displace(points[:, near])
        bent = head.bend(points[:, near])
        within = head.outside(bent) < 0
        near, bent = near[within], bent[:, within]
        tissues = head.tissues(bent)
        values = [
            table[tissues.code] * (1 - tissues.share) + table[tissues.other] * tissues.share
            for table in tables
        ]
        values[FLAIR] = values[FLAIR] * tissues.texture
        for lesion in lesions:
            over = lesion.overlay(bent, tissues.code)
            for channel, table in enumerate(tables):
                texture = over.texture if channel == FLAIR else 2 - over.texture
                own = table[over.code] * (texture if channel == FLAIR else texture**0.5)
                values[channel] = values[channel] * (1 - over.share) + own * over.share
            share[near[over.inside]] = np.minimum(share[near[over.inside]] + 1, len(heights))
        for channel, shade in enumerate(shades):
            bias = np.exp(0.13 * shade(points[:, near]) + 0.0000065 * (bent**2).sum(0))
            total[channel, near] += values[channel] * bias
    block = (3, size, oversample, size, oversample)
    mean = total.reshape(block).mean((2, 4)) / len(heights)
    return mean, share.reshape(block[1:]).mean((1, 3)) / len(heights)


def _outline(share: np.ndarray) -> np.ndarray:
    """Draw a lesion as an expert would: one smooth line around each part, no crumbs."""
    mask = ndimage.gaussian_filter(share, 0.8) > 0.5
    mask = ndimage.binary_fill_holes(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = ndimage.sum_labels(mask, labels, np.arange(count + 1))
    return mask & (sizes >= LEAST_LESION * mask.size / 256**2)[labels]


def _to_bytes(stack: np.ndarray, chance: Draw, reference: Reference) -> np.ndarray:
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
        # Halfway between the ends in ratio, not in difference: a gain is a factor.
        gains.append(least * (most / least) ** part)
    same = np.array([np.array_equal(stack[:, c], stack[:, FLAIR]) for c in range(3)])
    gains = np.where(same, gains[FLAIR], gains)
    scaled = np.moveaxis(stack, 1, -1) * gains
    return np.clip(np.round(scaled), 0, 255).astype(np.uint8)
