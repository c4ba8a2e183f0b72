"""What the lesson on encoder and decoder says of the site's own networks is what they do."""

from __future__ import annotations

import json
import re

import cv2
import keras
import numpy as np
import pytest

from btmodels import paths, registry
from btmodels.dataset import cohort
from btmodels.inference.introspect import Probe
from btmodels.inference.predict import Predictor
from btmodels.metrics.overlap import count, dice
from btmodels.networks.resunet import build_resunet
from btmodels.networks.resunet_small import build_resunet_small
from btmodels.slices import Slice, largest_lesion_slice
from btmodels.transforms.postprocess import binarize
from btmodels.transforms.preprocess import fit_to
from ui.lessons import page
from ui.lessons.encoder_decoder import anatomy

SIZE = 128
pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def slices() -> list[Slice]:
    """Of each bundled patient with a tumor the slice that lessons begin with."""
    root = cohort.find_root(cohort.samples_root(paths.ASSETS))
    found = []
    for patient in cohort.read_cohort(root):
        stack, _ = cohort.read_slices(patient)
        found.append(stack[largest_lesion_slice(stack)])
    return [each for each in found if each.truth.any()]


@pytest.fixture(scope="module")
def probe() -> Probe:
    return Probe(Predictor("unet", policy="float32"))


def words() -> str:
    return " ".join(" ".join(part.split()) for part in page.text_of("encoder-decoder").values())


def share_at_tumor(probe: Probe, each: Slice, layer: str) -> float:
    """Of a layer's maps that are not all alike, the share whose brightest place holds some tumor."""
    (maps,) = probe.activations(each.pixels, [layer], most=10**6)
    rows = maps.maps.shape[1]
    truth = fit_to(each.truth.astype(np.uint8) * 255, (SIZE, SIZE)) > 127
    inside = cv2.resize(truth.astype(np.float32), (rows, rows), interpolation=cv2.INTER_AREA) > 0
    alive = [values for values in maps.maps if values.min() < values.max()]
    return float(np.mean([inside.ravel()[np.argmax(values)] for values in alive]))


def test_maps_light_up_at_the_tumor_above_the_bottom_and_not_at_it(probe, slices):
    told = words()
    assert "about a third of the maps of Down 4 are brightest inside the tumor" in told
    fourth = np.mean([share_at_tumor(probe, each, "enc4_relu2") for each in slices])
    assert 0.25 < fourth < 0.42
    assert "At the bottom hardly any is." in told
    bottom = np.mean([share_at_tumor(probe, each, "bottleneck_relu2") for each in slices])
    assert bottom < 0.03
    first = np.mean([share_at_tumor(probe, each, "enc1_relu2") for each in slices])
    assert first < fourth / 3, "Down 1 answers to edges and brightness wherever they are"


def grid(probe: Probe, each: Slice, stage: str) -> float:
    """Return how far the four places of 2 by 2 cells differ on average, in deviations of the median map."""
    (shown,) = [anatomy.layer_of(block) for block in anatomy.blocks() if block.name == stage]
    (maps,) = probe.activations(each.pixels, [shown], most=10**6)
    maps = maps.maps.astype(float)
    number, rows, _ = maps.shape
    places = maps.reshape(number, rows // 2, 2, rows // 2, 2).mean((1, 3)).reshape(number, 4)
    spread = maps.std((1, 2))
    return float(np.median(np.ptp(places, axis=1)[spread > 0] / spread[spread > 0]))


def test_a_grid_lies_over_maps_of_the_way_up(probe, slices):
    assert "A grid can still appear, as in the maps of Up 1 to Up 3 above" in words()
    for level in (1, 2, 3):
        up, down = (grid(probe, slices[0], f"{way}{level}") for way in ("dec", "enc"))
        assert up > 2 * down


def test_each_skip_is_worth_what_is_told(probe, slices):
    record = probe.predictor.record
    means = {}
    for word in ("1111", "0111", "1011", "1110"):
        setting = tuple(digit == "1" for digit in word)
        scores = []
        for each in slices:
            mask = binarize(
                probe.ablate_skips(each.pixels)[setting],
                record.threshold,
                record.min_component_pixels,
            )
            scores.append(dice(count(mask, each.truth)))
        means[word] = float(np.mean(scores))
    assert (
        f"the mean Dice falls from {means['1111']:.2f} to {means['1110']:.2f} without skip 4 and to "
        f"{means['0111']:.2f} without skip 1"
    ) in words()
    assert "Over the bundled patients the mean Dice is even a little better without it." in words()
    assert means["1011"] > means["1111"]


def test_resunets_began_as_the_lesson_says():
    small, site = (
        json.loads((paths.ASSETS / "weights" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("resunet_small", "resunet")
    )
    assert "The *small* one started from random numbers, like the U-Net" in words()
    assert "encoder" not in small
    assert "The other one marks the tumors on this site." in words()
    assert registry.get("default").name == site["name"]
    assert "EfficientNet-Lite2, had learned from photographs" in words()
    assert site["encoder"]["source"] == "efficientnet-lite2"


def test_the_site_resunet_is_built_as_the_lesson_says():
    model = build_resunet((64, 64, 3))
    blocks = [layer for layer in model.layers if re.fullmatch(r"block\d[a-z]", layer.name)]
    unchanged = [layer for layer in blocks if isinstance(layer, keras.layers.Add)]
    assert f"It has {len(blocks)} blocks. In the {len(unchanged)} that keep both" in words()
    projected = [layer for layer in model.layers if layer.name.endswith("_shortcut")]
    assert len(projected) == 4 and all(layer.kernel_size == (1, 1) for layer in projected)


def test_each_residual_block_of_the_small_resunet_changes_its_channels():
    assert "Each of its residual blocks also changes the number of channels" in words()
    model = build_resunet_small()
    added = [layer for layer in model.layers if isinstance(layer, keras.layers.Add)]
    shortcuts = [layer for layer in model.layers if layer.name.endswith("_shortcut")]
    assert added and len(shortcuts) == len(added)
    assert all(layer.kernel_size == (1, 1) for layer in shortcuts)
    # "normalization and ReLU come before each convolution"
    order = [layer.name for layer in model.layers if layer.name.startswith("enc2_1_")]
    assert order == ["enc2_1_bn", "enc2_1_relu", "enc2_1_conv"]
