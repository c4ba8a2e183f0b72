"""Compiled training and eager training, as the other tests do it, end with the same weights."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from btmodels.networks.unet import build_unet
from btmodels.training.fitting import FitConfig, fit
from btmodels.training.losses import bce_dice
from tests.btmodels.fit_tiny import Squares


class FewSquares(Squares):
    def __len__(self) -> int:
        return 6


def trained(folder, eagerly: bool) -> tuple[list[np.ndarray], dict]:
    keras.utils.set_random_seed(3)
    model = build_unet((16, 16, 3), (4, 8))
    config = FitConfig(epochs=2, batch_size=4, validate_every=1)
    tf.config.run_functions_eagerly(eagerly)
    try:
        state = fit(model, bce_dice, FewSquares, lambda current: 0.0, config, folder)
    finally:
        tf.config.run_functions_eagerly(False)
    return model.get_weights(), state


def test_compiled_and_eager_training_agree(tmp_path):
    compiled, one = trained(tmp_path / "compiled", eagerly=False)
    eager, other = trained(tmp_path / "eager", eagerly=True)
    losses = ([row["loss"] for row in state["history"]] for state in (one, other))
    np.testing.assert_allclose(*losses, rtol=1e-4)
    for a, b in zip(compiled, eager, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4)
