"""Results of looking inside a network, as plain arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class ActivationMaps:
    """Some of a layer's activation maps for a slice.

    Attributes:
        layer: Name of the layer.
        shape: (rows, cols, channels) of the layer's output.
        channels: Indices of the selected channels, those that vary most first.
        maps: uint8, (len(channels), rows, cols): each map scaled from its minimum to its maximum.
        low, high: Minimum and maximum of each map.
    """

    layer: str
    shape: tuple[int, int, int]
    channels: tuple[int, ...]
    maps: np.ndarray
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Saliency:
    """The saliency map of one pixel's logit.

    Attributes:
        heatmap: uint8, (rows, cols) of the network's input: square root of the absolute gradient, in 255ths
            of its maximum.
        rows, cols: First and last row and column where the gradient is not exactly zero.
    """

    heatmap: np.ndarray
    rows: tuple[int, int]
    cols: tuple[int, int]
