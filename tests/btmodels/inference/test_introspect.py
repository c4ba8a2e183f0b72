"""What is told of a network's inside is what happens there."""

from __future__ import annotations

import numpy as np
import pytest

from btmodels import paths
from btmodels.errors import WeightsError
from btmodels.inference import introspect_tasks
from btmodels.inference.introspect import Probe
from btmodels.inference.predict import Predictor
from btmodels.transforms.preprocess import normalize

ROWS, COLS = 90, 120
pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (ROWS, COLS, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def probe() -> Probe:
    """Of the U-Net that is shipped, in numbers fine enough to compare to the last digits."""
    return Probe(Predictor("unet", policy="float32"))


def test_maps_are_those_of_the_layer(probe, image):
    first, bottom = probe.activations(image, ["enc1_relu2", "bottleneck_relu2"], most=4)
    assert first.shape == (128, 128, 16) and first.maps.shape == (4, 128, 128)
    assert bottom.shape == (8, 8, 256) and bottom.maps.shape == (4, 8, 8)
    values = normalize(image, (128, 128))[None]
    model = probe.predictor.model
    for name in ("enc1_conv1", "enc1_relu1", "enc1_conv2", "enc1_relu2"):
        values = model.get_layer(name)(values)
    values = np.asarray(values)[0]
    spread = values.std(axis=(0, 1))
    assert spread[list(first.channels)] == pytest.approx(np.sort(spread)[::-1][:4])
    for place, channel in enumerate(first.channels):
        low, high = first.low[place], first.high[place]
        assert (low, high) == pytest.approx(
            (values[..., channel].min(), values[..., channel].max())
        )
        shown = low + first.maps[place] / 255 * (high - low)
        assert np.abs(shown - values[..., channel]).max() <= (high - low) / 255


def test_all_switches_on_is_the_network_itself(probe, image):
    answers = probe.ablate_skips(image)
    assert probe.skips == ("dec1_skip", "dec2_skip", "dec3_skip", "dec4_skip")
    assert len(answers) == 16
    assert all(each.shape == (ROWS, COLS) for each in answers.values())
    (expected,) = probe.predictor.segment([image])
    assert np.abs(answers[True, True, True, True].astype(int) - expected).max() <= 1


def test_a_switch_that_is_off_hands_on_zeros(probe, image):
    """Against the shipped network with the weights that read the second skip set to zero."""
    predictor = Predictor("unet", policy="float32")
    kernel, bias = predictor.model.get_layer("dec2_conv1").get_weights()
    kernel[:, :, 32:] = 0  # what comes up has 32 channels and comes first
    predictor.model.get_layer("dec2_conv1").set_weights([kernel, bias])
    expected = Probe(predictor).segment(image)
    answers = probe.ablate_skips(image)
    assert np.abs(answers[True, False, True, True].astype(int) - expected).max() <= 1
    assert (answers[True, False, True, True] != answers[True, True, True, True]).any()


def test_a_pixels_sight_is_bounded_by_the_chain(image):
    found = Probe(Predictor("sequential")).saliency(image, 64, 50)
    assert found.rows == (58, 70) and found.cols == (44, 56)
    assert found.heatmap.shape == (128, 128)
    assert found.heatmap.max() == 255 and not found.heatmap[:58].any()


def test_what_is_not_there_is_refused(probe, image):
    with pytest.raises(ValueError, match="nonsense"):
        probe.activations(image, ["nonsense"])
    with pytest.raises(ValueError, match="no such pixel.*row=128"):
        probe.saliency(image, 128, 0)
    with pytest.raises(ValueError, match="Sequential network has no skip connections"):
        Probe(Predictor("sequential")).ablate_skips(image)


def test_pages_ask_by_name(image):
    (found,) = introspect_tasks.activations(image, "sequential", ["relu1"], 2, paths.ASSETS)
    assert found.channels == tuple(dict.fromkeys(found.channels)) and found.shape == (128, 128, 16)
    assert introspect_tasks.saliency(image, "sequential", 3, 127, paths.ASSETS).cols == (121, 127)


def test_missing_weights_are_said(image, tmp_path):
    with pytest.raises(WeightsError, match="no weights for U-Net"):
        introspect_tasks.ablate_skips(image, "unet", tmp_path)
