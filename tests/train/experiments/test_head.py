"""A linear head on an encoder: fitted to other patients, scored on the fold's."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from tests.train.tiny import use_small_networks
from train.__main__ import main
from train.experiments import head
from train.fit.subset import Subset


def bright(values: list[int], tumor: list[bool]) -> Subset:
    """Return slices with a square of some gray value on the left."""
    pixels = np.zeros((len(values), 8, 8, 3), np.uint8)
    pixels[..., 4:, :] = 200  # what all have, so that normalization keeps the squares apart
    pixels[:, 2:6, :3] = np.array(values, np.uint8)[:, None, None, None]
    masks = np.zeros((len(values), 8, 8), np.uint8)
    masks[np.array(tumor)] = 255
    return Subset(pixels, masks, ("A",) * len(values), tuple(range(len(values))))


@pytest.fixture
def encoder() -> keras.Model:
    """Mean and maximum of each channel: (batch, 8, 8, 3) to (batch, 6)."""
    inputs = keras.Input((8, 8, 3))
    pooled = (keras.ops.mean(inputs, axis=(1, 2)), keras.ops.max(inputs, axis=(1, 2)))
    return keras.Model(inputs, keras.ops.concatenate(pooled, axis=-1))


def test_the_head_learns_which_features_speak_for_a_tumor(encoder):
    fitted = bright([10, 20, 30, 150, 160, 170], [False] * 3 + [True] * 3)
    score = head.fit_head(encoder, fitted)
    found = score(bright([15, 165], [False, True]))
    assert found.shape == (2,) and found[0] < 0.5 < found[1]
    # Regularized, so that separable slices do not give certainty.
    assert 0.01 < found[0] and found[1] < 0.99


def test_both_views_of_a_slice_count():
    inputs = keras.Input((8, 8, 3))
    left = keras.Model(inputs, keras.ops.mean(inputs[:, :, :4], axis=(1, 2)))
    right = keras.Model(inputs, keras.ops.mean(inputs[:, :, 4:], axis=(1, 2)))
    slices = bright([10, 150], [False, True])
    found = head.features_of(left, slices)
    assert found.shape == (2, 3) and np.allclose(found, head.features_of(right, slices))


@pytest.mark.usefixtures("eager")
def test_the_command_scores_every_fold_that_has_its_network(tmp_path, monkeypatch, capsys):
    use_small_networks(monkeypatch)

    def encoder_of(weights, size):
        assert weights.exists()
        inputs = keras.Input((size, size, 3))
        return keras.Model(inputs, keras.ops.mean(inputs, axis=(1, 2)))

    monkeypatch.setattr(head, "_encoder", encoder_of)
    words = ["--quick", "--assets", str(tmp_path), "--runs", str(tmp_path / "runs")]
    assert main(["head", *words]) == 1 and "crossval_resunet.json" in capsys.readouterr().out
    assert main(["crossval", *words, "--network", "resunet"]) == 0
    source = json.loads((tmp_path / "metrics" / "crossval_resunet.json").read_text("utf-8"))
    (tmp_path / "runs" / "experiments" / source["run"] / "fold-2" / "best.npz").unlink()
    assert main(["head", *words]) == 0
    found = json.loads((tmp_path / "metrics" / "crossval_resunet_head.json").read_text("utf-8"))
    assert found["lacks"] == ["fold 2"] and not found["complete"]
    first = {k: v for k, v in source["slice_scores"].items() if v["fold"] == 1}
    assert set(found["slice_scores"]) == set(first) and 0 <= found["auc"] <= 1
    for name, scored in found["slice_scores"].items():
        assert scored["numbers"] == first[name]["numbers"]
        assert scored["tumor"] == first[name]["tumor"]
