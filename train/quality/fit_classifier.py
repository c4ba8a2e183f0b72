"""Fit the check's small networks (`btmodels.quality.classifier.MLPEnsemble`), in numpy: seconds, and always
the same."""

from __future__ import annotations

import numpy as np

from btmodels.quality.classifier import CLIP, MLPEnsemble

NETWORKS, UNITS = 5, 32
EPOCHS, BATCH, RATE, DECAY = 60, 128, 3e-3, 1e-3

JITTER = 0.3
"""Deviation of the noise that is added to standardized figures: what hangs on a trifle is not learned."""


def fit_head_classifier(
    figures: np.ndarray, wanted: np.ndarray, seed: int, networks: int = NETWORKS
) -> MLPEnsemble:
    """Learn to tell two classes apart, each as weighty as the other.

    Args:
        figures: float, (rows, features).
        wanted: bool, (rows,).
        seed: Of the first of the networks.
        networks: How many are averaged.
    """
    weight = np.where(wanted, 0.5 / wanted.mean(), 0.5 / (1 - wanted.mean()))

    def slope(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        # Of the weighted binary cross-entropy, by the score.
        chance = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
        return weight[chosen] * (chance - wanted[chosen])

    return _fit(
        figures[:, None],
        lambda score, chosen: slope(score[:, 0], chosen)[:, None],
        seed,
        networks,
    )


def fit_order_classifier(figures: np.ndarray, seed: int) -> MLPEnsemble:
    """Learn which of the six orders of each slice is right: the first.

    Args:
        figures: float, (slices, 6, features), from `btmodels.quality.channel_features.compute`.
        seed: Of the first of the networks.
    """

    def slope(score: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        # Of the cross-entropy of a softmax over the orders, by the scores.
        chance = np.exp(score - score.max(axis=1, keepdims=True))
        chance /= chance.sum(axis=1, keepdims=True)
        chance[:, 0] -= 1
        return chance

    return _fit(figures, slope, seed, NETWORKS)


def _fit(figures: np.ndarray, slope, seed: int, networks: int) -> MLPEnsemble:
    rows = figures.reshape(-1, figures.shape[-1])
    mean, deviation = np.median(rows, axis=0), rows.std(axis=0) + 1e-6
    inputs = np.clip((figures - mean) / deviation, -CLIP, CLIP)
    fitted = [_network(inputs, slope, np.random.default_rng((seed, i))) for i in range(networks)]
    hidden, bias, out, end = (np.stack(parts) for parts in zip(*fitted, strict=True))
    return MLPEnsemble(mean, deviation, hidden, bias, out, end[:, 0])


def _network(inputs: np.ndarray, slope, rng: np.random.Generator) -> list[np.ndarray]:
    # One hidden layer by Adam (Kingma, Ba 2015, arXiv:1412.6980), its rate falling to nothing.
    count, _, features = inputs.shape
    parts = [
        rng.normal(0, features**-0.5, (features, UNITS)),
        np.zeros(UNITS),
        rng.normal(0, UNITS**-0.5, UNITS),
        np.zeros(1),
    ]
    first, second = [np.zeros_like(p) for p in parts], [np.zeros_like(p) for p in parts]
    step = 0
    for epoch in range(EPOCHS):
        shuffled = rng.permutation(count)
        for start in range(0, count, BATCH):
            chosen = shuffled[start : start + BATCH]
            x = inputs[chosen] + rng.normal(0, JITTER, (len(chosen), *inputs.shape[1:]))
            active = np.tanh(x @ parts[0] + parts[1])
            gradient = slope(active @ parts[2] + parts[3][0], chosen) / len(chosen)
            back = gradient[..., None] * parts[2] * (1 - active**2)
            slopes = [
                np.tensordot(x, back, axes=([0, 1], [0, 1])) + DECAY * parts[0],
                back.sum(axis=(0, 1)),
                np.tensordot(gradient, active, axes=([0, 1], [0, 1])) + DECAY * parts[2],
                np.array([gradient.sum()]),
            ]
            step += 1
            for i, value in enumerate(slopes):
                first[i] = 0.9 * first[i] + 0.1 * value
                second[i] = 0.999 * second[i] + 0.001 * value**2
                size = np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8
                rate = RATE * (1 - epoch / EPOCHS)
                parts[i] = parts[i] - rate * first[i] / (1 - 0.9**step) / size
    return parts
