"""Shapes, names and sizes of every builder, on tiny inputs."""

from functools import partial

import cv2
import keras
import numpy as np
import pytest

from btmodels import registry, weights
from btmodels.errors import WeightsError
from btmodels.networks.efficientnet import LITE0, LITE2, efficientnet_lite, pyramid
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.ensemble import MEMBERS, build_ensemble
from btmodels.networks.resnet import PYRAMID, build_resnet50, with_localizer
from btmodels.networks.resnet_unet import build_resnet50_unet
from btmodels.networks.resunet import build_resunet
from btmodels.networks.resunet_small import build_resunet_small
from btmodels.networks.sequential import build_sequential
from btmodels.networks.unet import build_unet
from btmodels.networks.vgg import ENCODER_LAYERS
from btmodels.networks.vgg_unet import build_vgg16_unet

SEGMENTERS = [build_unet, build_resunet_small]


@pytest.mark.parametrize("build", SEGMENTERS)
@pytest.mark.parametrize(("rows", "cols"), [(32, 32), (16, 48)])
def test_a_segmenter_gives_a_logit_a_pixel(build, rows, cols):
    model = build((rows, cols, 3), filters=(2, 4, 6))
    found = model(np.zeros((2, rows, cols, 3), np.float32))
    assert tuple(found.shape) == (2, rows, cols, 1)


@pytest.mark.parametrize("build", SEGMENTERS)
def test_a_size_that_cannot_be_halved_is_refused(build):
    with pytest.raises(ValueError, match="multiples of 4.*30"):
        build((30, 32, 3), filters=(2, 4, 6))


@pytest.mark.parametrize("build", SEGMENTERS)
def test_the_encoder_halves_and_the_decoder_doubles(build):
    model = build((32, 32, 3), filters=(2, 4, 6))
    skips = [layer.output.shape[1:3] for layer in model.layers if layer.name.endswith("_skip")]
    assert skips == [(16, 16), (32, 32)]


def test_the_unet_has_the_published_parts():
    names = {type(layer).__name__ for layer in build_unet((32, 32, 3), (2, 4)).layers}
    assert {"Conv2D", "ReLU", "MaxPooling2D", "Conv2DTranspose", "Concatenate"} <= names


def test_unet_parameters_by_hand():
    # enc1 3*9*2+2, 2*9*2+2; bottleneck 2*9*4+4, 4*9*4+4; up 4*4*2+2; dec1 4*9*2+2, 2*9*2+2; head 2+1
    expected = 56 + 38 + 76 + 148 + 34 + 74 + 38 + 3
    assert build_unet((8, 8, 3), (2, 4)).count_params() == expected


def test_a_unet_without_skips_has_half_as_much_to_convolve_on_the_way_up():
    joined, zeroed, absent = (
        build_unet((16, 16, 3), (2, 4), skips=kind) for kind in ("joined", "zeroed", "absent")
    )
    assert joined.count_params() - absent.count_params() == 2 * 9 * 2
    assert not any(layer.name.endswith("_skip") for layer in absent.layers)
    zeroed.set_weights(joined.get_weights())
    kernel, bias = joined.get_layer("dec1_conv1").get_weights()
    kernel[:, :, 2:] = 0  # what comes up comes first
    joined.get_layer("dec1_conv1").set_weights([kernel, bias])
    slices = np.random.default_rng(0).normal(size=(1, 16, 16, 3)).astype(np.float32)
    assert np.asarray(zeroed(slices)) == pytest.approx(np.asarray(joined(slices)), abs=1e-6)


def test_a_residual_unit_adds_its_input():
    model = build_resunet_small((32, 32, 3), filters=(2, 4, 6))
    adds = [layer for layer in model.layers if type(layer).__name__ == "Add"]
    assert [layer.name for layer in adds] == ["enc2_add", "bottleneck_add", "dec2_add"]


def test_resnet50_is_the_published_one_with_one_logit():
    model = build_resnet50((32, 32, 3))
    # 23,587,712 parameters without top (Keras Applications), 2048 weights and a bias.
    assert model.count_params() == 23_587_712 + 2049
    assert tuple(model.output.shape) == (None, 1)


def test_the_localizer_shares_the_classifiers_layers():
    classifier = build_resnet50((64, 64, 3))
    localizer = with_localizer(classifier, width=8)
    assert tuple(localizer.output["where"].shape) == (None, 16, 16, 1)
    for stage in PYRAMID:
        assert localizer.get_layer(stage) is classifier.get_layer(stage)


@pytest.mark.parametrize(
    ("build", "divisor"),
    [
        (build_efficientnet_unet, 32),
        (build_resunet, 32),
        (partial(build_resunet, decoder="plain"), 32),
        (build_resnet50_unet, 32),
        (build_vgg16_unet, 16),
        (build_ensemble, 128),
    ],
)
def test_a_ready_made_encoder_gives_a_logit_a_pixel_too(build, divisor):
    model = build((2 * divisor, divisor, 3))
    found = model(np.zeros((1, 2 * divisor, divisor, 3), np.float32))
    assert tuple(found.shape) == (1, 2 * divisor, divisor, 1)
    with pytest.raises(ValueError, match=f"multiples of {divisor}"):
        build((divisor + 8, 64, 3))


def test_the_sequential_network_sees_thirteen_pixels():
    model = build_sequential((32, 32, 3))
    black = np.zeros((1, 32, 32, 3), np.float32)
    lit = black.copy()
    lit[0, 16, 16] = 5.0
    changed = np.asarray(model(lit) != model(black))[0, ..., 0]
    rows, cols = np.nonzero(changed)
    assert rows.min() >= 10 and rows.max() <= 22 and cols.min() >= 10 and cols.max() <= 22
    assert np.ptp(rows) >= 10, "and not much less"


def test_vgg16_has_its_thirteen_convolutions():
    model = build_vgg16_unet((32, 32, 3))
    # 14,714,688 parameters without top (Keras Applications)
    assert sum(model.get_layer(name).count_params() for name in ENCODER_LAYERS) == 14_714_688


@pytest.mark.parametrize(
    ("stages", "blocks", "channels", "parameters"),
    # Trainable ones in all; the authors' table says 4.7 and 6.1 million.
    [(LITE0, 16, 320, 4_652_008), (LITE2, 21, 352, 6_092_072)],
)
def test_an_efficientnet_lite_has_its_blocks(stages, blocks, channels, parameters):
    model = efficientnet_lite(keras.Input((64, 64, 3)), stages)
    depthwise = [layer for layer in model.layers if "depthwise" in layer.name.split("_")[-1:]]
    assert len(depthwise) == sum(stage.blocks for stage in stages) == blocks
    assert tuple(model.output.shape) == (None, 2, 2, channels)
    head = channels * 1280 + 2 * 1280 + 1280 * 1000 + 1000
    trainable = sum(int(np.prod(each.shape)) for each in model.trainable_variables)
    assert trainable == parameters - head
    sizes = [model.get_layer(name).output.shape[1] for name in pyramid(stages)]
    assert sizes == [32, 16, 8, 4, 2]


def test_the_pyramid_is_of_the_last_blocks_of_each_size():
    assert pyramid(LITE0) == ("block1a", "block2b", "block3b", "block5c", "block7a")
    assert pyramid(LITE2) == ("block1a", "block2c", "block3c", "block5d", "block7a")


def test_the_decoders_of_the_resunet_differ_by_their_shortcuts_alone():
    filters = (4, 6, 8, 10)
    residual, plain = (
        build_resunet((64, 64, 3), filters, decoder) for decoder in ("residual", "plain")
    )
    adds = [f"dec{level}_add" for level in (5, 4, 3, 2)]
    assert [
        each.name for each in residual.layers if each.name.startswith("dec") and "add" in each.name
    ] == adds
    assert not any("add" in each.name for each in plain.layers if each.name.startswith("dec"))
    kernels = [
        sorted(
            tuple(layer.kernel.shape)
            for layer in model.layers
            if layer.name.startswith("dec")
            and hasattr(layer, "kernel")
            and "shortcut" not in layer.name
        )
        for model in (residual, plain)
    ]
    assert kernels[0] == kernels[1] and len(kernels[0]) == 12


def test_the_decoder_on_resnet50_is_slim():
    assert build_resnet50_unet((32, 32, 3)).count_params() - 23_587_712 < 1_200_000


def test_the_ensemble_answers_with_the_mean_of_its_members():
    model = build_ensemble((128, 128, 3))
    slices = np.random.default_rng(0).normal(size=(2, 128, 128, 3)).astype(np.float32)
    expected = 0
    for member, size, votes in zip(MEMBERS, (64, 96), (1, 2), strict=True):
        smaller = np.stack(
            [cv2.resize(each, (size, size), interpolation=cv2.INTER_AREA) for each in slices]
        )
        logits = np.asarray(model.get_layer(member)(smaller))
        larger = np.stack([cv2.resize(each, (128, 128)) for each in logits])[..., None]
        expected = expected + votes / 3 * larger
    assert np.asarray(model(slices)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("name", registry.SPECS)
def test_every_registered_network_is_built_under_its_name_with_named_layers(name):
    model = weights.build(name)
    assert model.name == name
    assert tuple(model.input.shape[1:]) == registry.get(name).input_shape
    assert model.layers[-1].name == "logits" and model.layers[-1].dtype_policy.name == "float32"
    automatic = [
        layer.name
        for layer in model.layers
        if layer.name.split("_")[0] in {"conv2d", "add", "concatenate", "re", "batch", "dense"}
    ]
    assert automatic == []


def test_weights_survive_half_precision(tmp_path):
    model = build_unet((16, 16, 3), (2, 4), name="unet")
    path = tmp_path / "unet.weights.h5"
    sha256 = weights.save_float16(model, path)
    again = build_unet((16, 16, 3), (2, 4), name="unet")
    weights.load_into(again, path)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        assert (a.astype(np.float16) == b).all() and b.dtype == np.float32
    again.compile(optimizer="adam")
    again.optimizer.build(again.trainable_variables)
    assert weights.save_float16(again, path) == sha256, "the same weights give the same file"


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "unet.weights.h5"
    weights.save_float16(build_unet((16, 16, 3), (2, 4)), path)
    with pytest.raises(WeightsError, match="does not hold weights"):
        weights.load_into(build_unet((16, 16, 3), (2, 6)), path)
    path.write_bytes(b"no weights at all")
    with pytest.raises(WeightsError, match="does not hold weights"):
        weights.load_into(build_unet((16, 16, 3), (2, 4)), path)


def test_what_is_beyond_half_precision_stays_single(tmp_path):
    model, again = (build_unet((16, 16, 3), (2, 4), name="unet") for _ in range(2))
    values = model.get_weights()
    values[0][:] = 1e6 / 3
    values[2][:] = 1 / 3
    model.set_weights(values)
    weights.save_float16(model, tmp_path / "unet.weights.h5")
    weights.load_into(again, tmp_path / "unet.weights.h5")
    found = again.get_weights()
    assert (found[0] == np.float32(1e6 / 3)).all() and (found[2] == np.float16(1 / 3)).all()


def test_weights_that_are_not_finite_are_not_written(tmp_path):
    model = build_unet((16, 16, 3), (2, 4))
    model.set_weights([w * np.nan for w in model.get_weights()])
    path = tmp_path / "unet.weights.h5"
    with pytest.raises(ValueError, match="not finite"):
        weights.save_float16(model, path)
    assert list(tmp_path.iterdir()) == []
