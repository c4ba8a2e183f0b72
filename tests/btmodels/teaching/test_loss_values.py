"""Losses in NumPy are those that training uses."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from btmodels.teaching import loss_values
from btmodels.training import losses


@pytest.mark.parametrize("key", loss_values.LOSSES)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_they_come_to_what_training_computes(key, seed):
    generator = np.random.default_rng(seed)
    truth = generator.random((2, 8, 9, 1)) < (0.0, 0.1, 0.6)[seed]
    logits = generator.normal(0, 6, truth.shape)
    ours = loss_values.LOSSES[key]
    theirs = getattr(losses, ours.__name__)
    expected = float(theirs(truth.astype("float32"), logits.astype("float32")))
    assert ours(truth, logits) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    defaults = inspect.signature(theirs).parameters
    for name, parameter in inspect.signature(ours).parameters.items():
        if name != "weights":
            assert parameter.default == defaults[name].default


@pytest.mark.parametrize("key", loss_values.LOSSES)
def test_a_pixel_may_stand_for_many(key):
    loss = loss_values.LOSSES[key]
    truth, logits, weights = np.array([1, 1, 0, 0]), np.array([2.0, -3, -4, 0.5]), (3, 1, 50, 2)
    assert loss(truth, logits, weights) == pytest.approx(
        loss(np.repeat(truth, weights), np.repeat(logits, weights))
    )


def test_one_pixel_by_hand():
    assert loss_values.bce(1, 0) == pytest.approx(np.log(2))
    assert loss_values.soft_dice(1, 0) == pytest.approx(1 - 2 / 2.5)
    assert loss_values.tversky(1, 0) == pytest.approx(1 - 1.5 / (0.5 + 0.35 + 1))
    assert loss_values.focal(1, 0) == pytest.approx(0.25 * 0.25 * np.log(2))
    assert loss_values.bce(0, 800) == 800 and loss_values.bce(1, 800) == 0
