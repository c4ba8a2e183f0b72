"""Findings about the channels: a single sequence, one in place of another, or swapped channels."""

from __future__ import annotations

from itertools import combinations

import cv2
import numpy as np

from btmodels.quality import channel_features
from btmodels.quality.classifier import Thresholds
from btmodels.quality.findings import Finding
from btmodels.slices import CHANNELS, FLAIR


def find_channel_faults(
    pixels: np.ndarray, values: np.ndarray, thresholds: Thresholds
) -> list[Finding]:
    """Return the faults of a slice's channels.

    Args:
        pixels: uint8, (rows, cols, 3), 0 to 255.
        values: The same, from `btmodels.quality.head_features.resize`.
        thresholds: Thresholds of the check.
    """
    same = [pair for pair in combinations(range(3), 2) if nearly_equal(pixels, *pair)]
    if len(same) >= 2:
        text = (
            "All three channels are the same, so this is one sequence alone. It is taken for FLAIR, "
            "which also stands in for the two others, as in the data set where they are missing. With "
            "all three sequences, the networks may mark another area."
        )
        return [
            Finding("gray", "note", text, "No pixel differs between them by more than rounding.")
        ]
    if same:
        a, b = same[0]
        if FLAIR in (a, b):
            other = CHANNELS[a if b == FLAIR else b]
            text = (
                f"FLAIR stands in for {other}, as in the data set where that sequence is missing."
            )
            return [Finding("stand_in", "note", text, "These two channels are the same.")]
        text = (
            "Pre- and post-contrast T1 are the same picture: one of them is missing. The data set puts "
            "FLAIR in place of what is missing."
        )
        return [Finding("replicated", "fault", text, "These two channels are the same.", "flair")]
    return _disorder(values, thresholds)


def _disorder(values: np.ndarray, thresholds: Thresholds) -> list[Finding]:
    figures = channel_features.compute(values)
    if figures is None:
        return []
    chance = order_chances(figures, thresholds)
    # The most likely order gives the current position of each sequence.
    best = int(np.argmax(chance))
    middle = {
        c: sum(chance[i] for i, o in enumerate(channel_features.ORDERS) if o[FLAIR] == c)
        for c in (0, 2)
    }
    place = max(middle, key=middle.get)
    if middle[place] > thresholds.values["swapped"]:
        fits = [i for i, o in enumerate(channel_features.ORDERS) if o[FLAIR] == place]
        best = max(fits, key=lambda i: chance[i])
        text = f"The channels seem swapped: FLAIR seems to be where {CHANNELS[place]} belongs."
        evidence = f"Likelihood {_percent(middle[place])} by brightness, edges and similarity."
        return [Finding("swapped", "fault", text, evidence, _order_name(best))]
    if channel_features.ORDERS[best] == (2, 1, 0) and chance[best] > thresholds.values["exchanged"]:
        text = (
            "Pre- and post-contrast T1 seem swapped, as when a program reads red, green, blue as "
            "blue, green, red."
        )
        evidence = f"Likelihood {_percent(chance[best])} by vessels, scalp and similarity."
        return [Finding("exchanged", "fault", text, evidence, _order_name(best))]
    return []


def order_chances(figures: np.ndarray, thresholds: Thresholds) -> np.ndarray:
    """Return the probability of each of `btmodels.quality.channel_features.ORDERS`; they sum to 1."""
    score = thresholds.order.score(figures)
    chance = np.exp(score - score.max())
    return chance / chance.sum()


def _percent(chance: float) -> str:
    # A learned probability is never certain, and rounding must not suggest that it is.
    return "> 99%" if chance > 0.99 else f"{100 * chance:.0f}%"


def _order_name(index: int) -> str:
    return "order" + "".join(map(str, channel_features.ORDERS[index]))


def nearly_equal(pixels: np.ndarray, a: int, b: int) -> bool:
    """Return whether two channels are equal except for rounding."""
    # JPEG stores color at a lower resolution than brightness, so equal channels may differ slightly.
    one, other = pixels[..., a], pixels[..., b]
    if np.array_equal(one, other):
        return True
    return float(cv2.absdiff(np.ascontiguousarray(one), np.ascontiguousarray(other)).mean()) < 0.5
