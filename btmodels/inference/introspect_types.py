"""Results of looking inside a network, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ActivationMaps:
    """Some of the maps that a layer gives out for a slice.

    Attributes:
        layer: Its name.
        shape: (rows, cols, channels) of all that it gives out.
        channels: Which of the channels these are, those that vary most first.
        levels: uint8, (len(channels), rows, cols): each map from its own least to its own largest value.
        low, high: Those values.
    """

    layer: str
    shape: tuple[int, int, int]
    channels: tuple[int, ...]
    levels: np.ndarray
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Saliency:
    """What one pixel's logit depends on.

    Attributes:
        levels: uint8, (rows, cols) of the network's grid: square root of the gradient's size, of 255.
        rows, cols: First and last row and column where it is not exactly zero.
    """

    levels: np.ndarray
    rows: tuple[int, int]
    cols: tuple[int, int]
