"""How much of a loss's gradient reaches each layer of a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from keras import layers

from btmodels.transforms.preprocess import normalize
from train.fit.subset import Subset


def kernel_gradients(
    model: keras.Model, batch: tuple[np.ndarray, np.ndarray], loss: Callable
) -> dict[str, float]:
    """Return, by layer, the norm of the loss's gradient to the kernel over the kernel's own norm.

    One step of plain gradient descent at rate 1 moves a weight by exactly its gradient, on every backend
    of Keras.
    """
    found = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)]
    found = [layer for layer in found if layer.kernel is not None]
    before = [np.asarray(layer.kernel, np.float64) for layer in found]
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, jit_compile=False)
    model.train_on_batch(*batch)
    norms = {}
    for layer, old in zip(found, before, strict=True):
        step = np.asarray(layer.kernel, np.float64) - old
        norms[layer.name] = float(np.linalg.norm(step) / np.linalg.norm(old))
        layer.kernel.assign(old.astype(np.float32))
    return norms


def tumor_batch(slices: Subset) -> tuple[np.ndarray, np.ndarray]:
    """Return eight slices with tumor at even distances, standardized, with their masks."""
    chosen = np.flatnonzero(slices.has_tumor)
    chosen = chosen[np.linspace(0, len(chosen) - 1, 8).astype(int)]
    picked = slices.take(chosen)
    size = picked.pixels.shape[1:3]
    pixels = np.stack([normalize(each, size) for each in picked.pixels])
    return pixels, (picked.masks[..., None] / 255).astype(np.float32)


def entry(key: str, title: str, when: str, norms: Sequence[Mapping[str, float]]) -> dict:
    """Return an entry of an experiment's file: the mean of norms over seeds, in order of the layers.

    Args:
        key, title: Of the network.
        when: ``start`` or ``trained``.
        norms: Of each seed, as `kernel_gradients` returns them.

    Returns:
        ``key``, ``title``, ``when`` and ``layers``, each ``name`` and ``norm``.
    """
    rows = [
        {"name": name, "norm": float(f"{np.mean([each[name] for each in norms]):.4g}")}
        for name in norms[0]
    ]
    return {"key": key, "title": title, "when": when, "layers": rows}
