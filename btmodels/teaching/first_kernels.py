"""Kernels of a network's first convolution, read from its weights file without Keras."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from btmodels.errors import WeightsError
from btmodels.paths import ASSETS
from btmodels.registry import verify_weights, weights_files

CHANNELS = 3
"""Channels of a slice: only a first convolution has kernels with this number of input channels."""


def first_kernels(name: str, assets: Path = ASSETS) -> np.ndarray:
    """Return the kernels of the first convolution.

    Args:
        name: Registry name of a network that is no ensemble.
        assets: Folder that holds ``weights/``.

    Returns:
        float32, (rows, cols, 3, kernels).

    Raises:
        WeightsError: The weights are missing, altered, or have no or several such kernels.
    """
    verify_weights(name, assets)
    found: list[np.ndarray] = []

    def look(_: str, item: object) -> None:
        shaped = isinstance(item, h5py.Dataset) and len(item.shape) == 4
        if shaped and item.shape[2] == CHANNELS:
            found.append(np.asarray(item, np.float32))

    for path in weights_files(name, assets).values():
        with h5py.File(path) as file:
            file.visititems(look)
    if len(found) != 1:
        raise WeightsError(
            f"The weights of {name} should have one first convolution. Received: {len(found)}"
        )
    return found[0]
