"""Fit the input check's small networks (`btmodels.quality.classifier.MLPEnsemble`) with Keras."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from btmodels.quality.classifier import CLIP, MLPEnsemble

NETWORKS, UNITS = 5, 32
EPOCHS, BATCH, RATE, DECAY = 60, 128, 3e-3, 1e-3

JITTER = 0.3
"""Standard deviation of the noise added to standardized features, against overfitting."""


def fit_head_classifier(
    figures: np.ndarray, wanted: np.ndarray, seed: int, networks: int = NETWORKS
) -> MLPEnsemble:
    """Learn to tell slices of a head from other pictures, with equal class weights.

    Args:
        figures: float, (rows, features), from `btmodels.quality.head_features.compute`.
        wanted: bool, (rows,); whether each is a slice of a head.
        seed: Seed of the first network.
        networks: Number of networks to average.
    """
    weight = np.where(wanted, 0.5 / wanted.mean(), 0.5 / (1 - wanted.mean()))
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    return _fit(figures[:, None], wanted[:, None].astype("float32"), weight, loss, seed, networks)


def fit_order_classifier(figures: np.ndarray, seed: int) -> MLPEnsemble:
    """Learn which of the six channel orders of each slice is right; here it is always the first.

    Args:
        figures: float, (slices, 6, features), from `btmodels.quality.channel_features.compute`.
        seed: Seed of the first network.
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    first = np.zeros(len(figures), "int32")
    return _fit(figures, first, np.ones(len(figures)), loss, seed, NETWORKS)


def _fit(
    figures: np.ndarray,
    target: np.ndarray,
    weight: np.ndarray,
    loss: keras.losses.Loss,
    seed: int,
    networks: int,
) -> MLPEnsemble:
    rows = figures.reshape(-1, figures.shape[-1])
    mean, deviation = np.median(rows, axis=0), rows.std(axis=0) + 1e-6
    inputs = np.clip((figures - mean) / deviation, -CLIP, CLIP).astype("float32")
    fitted = []
    for number in range(networks):
        keras.utils.set_random_seed(seed + number)
        model = _build(inputs.shape[1:])
        steps = -(-len(inputs) // BATCH) * EPOCHS
        rate = keras.optimizers.schedules.PolynomialDecay(RATE, steps, 0.0)
        model.compile(keras.optimizers.Adam(rate), loss)
        model.fit(inputs, target, BATCH, EPOCHS, verbose=0, sample_weight=weight)
        fitted.append(model.get_weights())
    hidden, hidden_bias, out, out_bias = (np.stack(parts) for parts in zip(*fitted, strict=True))
    return MLPEnsemble(mean, deviation, hidden, hidden_bias, out[..., 0], out_bias[:, 0])


def _build(shape: tuple[int, ...]) -> keras.Model:
    """Return a network with one hidden layer that scores each row of features, (..., features)."""
    decay = keras.regularizers.L2(DECAY / 2)
    return keras.Sequential(
        [
            layers.Input(shape),
            layers.GaussianNoise(JITTER),
            layers.Dense(
                UNITS, "tanh", kernel_initializer="lecun_normal", kernel_regularizer=decay
            ),
            layers.Dense(1, kernel_initializer="lecun_normal", kernel_regularizer=decay),
            layers.Flatten(),
        ]
    )
